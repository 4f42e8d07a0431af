// Bounds of the process's settings.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/units.h"
#include "drivers/http/limits.h"
#include "model/limits.h"
#include "pipeline/limits.h"

namespace grapnel::app {

/// A path of the file system (PATH_MAX of Linux).
inline constexpr std::size_t kPathBytesMax = 4'096;
/// CIDRs of one list: each is looked at for every connection.
inline constexpr std::size_t kCidrsMax = 1'000;
/// A text such as "[fe80::1]:8080".
inline constexpr std::size_t kEndpointTextMax = 64;
/// An API key or master key from the environment; ours have under 64 characters.
inline constexpr std::size_t kKeyTextMax = 512;
/// Shorter API keys than this are refused: they can be guessed.
inline constexpr std::size_t kApiKeyTextMin = 16;

/// Retention: under a minute nobody could look at anything; ten years is "never" for a webhook.
inline constexpr Millis kRetentionMin{60'000};
inline constexpr Millis kRetentionMax{3650LL * 86'400'000};
/// Bytes of bodies in flight: a payer's part has room for one of the largest in a buffer that
/// doubled; and what a large machine can hold.
inline constexpr std::uint64_t kBodyBytesInFlightSettingMin =
    2 * http::kPayerShareDivisor * model::kBodyBytesMax;
inline constexpr std::uint64_t kBodyBytesInFlightSettingMax = 64_GiB;
static_assert(kBodyBytesInFlightSettingMin <= http::kBodyBytesInFlightMax);
/// After the drain, for what nobody can cut off: closing connections and the store. 25 s and this
/// stay below the 30 s that Kubernetes and other supervisors wait by default.
inline constexpr Millis kStopOverrun{4'000};
/// Connections: Linux allows about a million descriptors to a process.
inline constexpr std::int64_t kConnectionsSettingMin = 10;
inline constexpr std::int64_t kConnectionsSettingMax = 1'000'000;
/// The dispatcher's bound is reached before the client's: deliveries wait for a free attempt, and
/// none is spent on a refusal of our own.
static_assert(http::kCallsMax >= static_cast<std::size_t>(pipeline::kAttemptsMax));
/// The WAL: room for one transaction of the writer several times; recovery reads it at start.
inline constexpr std::uint64_t kWalBytesSettingMin = 32_MiB;
inline constexpr std::uint64_t kWalBytesSettingMax = 16_GiB;
/// Shutdown: Kubernetes' default of terminationGracePeriodSeconds is 30 s; an hour is a hang.
inline constexpr Millis kGraceDefault{5'000};
inline constexpr Millis kDrainDefault{25'000};
inline constexpr Millis kDrainMax{3'600'000};
static_assert(kGraceDefault < kDrainDefault);

/// A file that holds one key: ours are under 200 bytes.
inline constexpr std::size_t kSecretFileBytesMax = 4'096;
/// Errors of certificate files that are remembered as logged: three files fail in a few ways each.
inline constexpr std::size_t kCertificateErrorsToldMax = 100;
/// The key of header digests: as long as the digest it keys.
inline constexpr std::size_t kDigestKeyBytes = 32;
/// Threads that hash and scan large bodies, with rests: half of two processors.
inline constexpr std::size_t kBodyThreads = 2;
/// Threads that write metrics pages: a scrape never waits for a body.
inline constexpr std::size_t kMetricsThreads = 1;
/// Time for script workers to end before they are killed.
inline constexpr Millis kSandboxStopMax{1'000};
/// After the last attempt ended: time for connections that still read their answers.
inline constexpr Millis kServerStopMax{2'000};

/// Standard input of a command: bodies are at most 32 MiB, manifests far less.
inline constexpr std::size_t kInputBytesMax = 64_MiB;
inline constexpr std::size_t kInputReadBytes = 64_KiB;
static_assert(kInputBytesMax >= model::kBodyBytesMax);

}  // namespace grapnel::app
