// Bounds of the domain.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/units.h"

namespace grapnel::model {

/// Body of one event unless the source says otherwise: GitHub's largest is 25 MiB, most are under
/// 100 KiB.
inline constexpr std::uint64_t kBodyBytesDefault = 1_MiB;
/// The most a source can ask for.
inline constexpr std::uint64_t kBodyBytesMax = 32_MiB;
/// Bodies above this live in files of their own, so that the write-ahead log stays small.
inline constexpr std::uint64_t kBodyInlineBytesMax = 256_KiB;
static_assert(kBodyInlineBytesMax < kBodyBytesDefault && kBodyBytesDefault <= kBodyBytesMax);

/// Header fields of one request: nginx and Apache stop at 100.
inline constexpr std::size_t kHeadersMax = 100;
/// Request line and header fields together.
inline constexpr std::size_t kHeaderBytesMax = 32_KiB;

/// Time-out of an attempt (Standard Webhooks 1.0 recommends 15 to 30 s).
inline constexpr Millis kAttemptTimeoutDefault{15'000};
inline constexpr Millis kAttemptTimeoutMin{1'000};
inline constexpr Millis kAttemptTimeoutMax{30'000};
/// Attempts of one action at a time.
inline constexpr int kMaxInFlightDefault = 16;
inline constexpr int kMaxInFlightMax = 1024;
/// Waits of a retry schedule, and the longest of them; Retry-After is cut to the same.
inline constexpr std::size_t kRetryScheduleMax = 50;
inline constexpr Millis kRetryWaitMax{24 * 3'600'000};
/// Unknown attempts in a row after which a delivery runs alone.
inline constexpr int kUnknownStreakMax = 5;
/// Answer of an endpoint: read so far, so that the connection can be used again, and kept so far.
inline constexpr std::size_t kResponseBytesMax = 64_KiB;
inline constexpr std::size_t kResponseExcerptBytesMax = 4_KiB;
static_assert(kResponseExcerptBytesMax <= kResponseBytesMax);

/// Open work of one action, and held events of one source.
inline constexpr std::int64_t kBacklogCountMax = 10'000'000;
inline constexpr std::int64_t kBacklogBytesMax = static_cast<std::int64_t>(20_GiB);

/// Idempotency: how long a key answers for its first event.
inline constexpr Millis kIdempotencyWindow{24 * 3'600'000};
/// Keys above this are stored as their SHA-256.
inline constexpr std::size_t kIdempotencyKeyBytesMax = 256;
inline constexpr std::size_t kOrderingKeyBytesMax = 256;
inline constexpr std::size_t kEventTypeBytesMax = 256;
inline constexpr std::size_t kPlacesMax = 16;

/// Definitions: a source with more than this many actions is two sources.
inline constexpr std::size_t kActionsPerSourceMax = 1'000;
inline constexpr std::size_t kSourcesMax = 10'000;
inline constexpr std::size_t kSlugBytesMax = 63;
inline constexpr std::size_t kNameBytesMax = 200;
inline constexpr std::size_t kUrlBytesMax = 2'048;
inline constexpr std::size_t kEventTypesPerActionMax = 100;
inline constexpr std::size_t kActionHeadersMax = 50;
inline constexpr std::size_t kSigningSecretsMax = 5;
inline constexpr std::size_t kSecretBytesMax = 1'024;
/// A secret that requests are verified with: a "user:password" pair or a provider's own.
inline constexpr std::size_t kInboundSecretBytesMax = 4'096;
/// A header name, a prefix or a template of what is signed.
inline constexpr std::size_t kVerifyTextBytesMax = 256;
/// How far a signed timestamp may be away: a second, up to the day that keys are remembered, since
/// beyond it a repeat would be a new event.
inline constexpr Millis kVerifyToleranceMin{1'000};
inline constexpr Millis kVerifyToleranceMax = kIdempotencyWindow;
/// Refused requests of one source that are kept to be looked at.
inline constexpr int kQuarantineDefault = 20;
inline constexpr int kQuarantineMax = 200;
inline constexpr std::size_t kCaBundleBytesMax = 256_KiB;
inline constexpr std::size_t kSecretNamesMax = 50;
inline constexpr std::size_t kApiKeysMax = 10'000;

/// Rate limit of a source, and its burst: above what one machine stores in a second.
inline constexpr double kRatePerSecondMax = 1'000'000;
/// Exponential retry rule: base is at least a millisecond (0 would be a loop), a factor above 10 is
/// a schedule.
inline constexpr Millis kRetryWaitMin{1};
inline constexpr double kRetryFactorMax = 10;
inline constexpr int kRetryAttemptsMax = static_cast<int>(kRetryScheduleMax) + 1;

/// Mistakes named in one answer, and bytes of a wrong value that are repeated: enough to recognize
/// it.
inline constexpr std::size_t kMistakesMax = 20;
inline constexpr std::size_t kEchoBytesMax = 60;

/// A script, what it may take, and what it may give. Half a second is ten thousand times what a
/// transform of 1 KiB needs.
inline constexpr std::size_t kScriptBytesMax = 64_KiB;
inline constexpr Millis kScriptTimeMax{500};
inline constexpr std::uint64_t kScriptHeapBytesMax = 128_MiB;
inline constexpr std::uint64_t kScriptResultBytesMax = 8_MiB;
static_assert(kScriptResultBytesMax <= kBodyBytesMax);
inline constexpr std::size_t kConsoleBytesMax = 8_KiB;
/// Calls that wait for a sandbox: a second's worth.
inline constexpr std::size_t kScriptCallsMax = 8'192;
/// Events that one call may make of one.
inline constexpr std::size_t kSplitEventsMax = 1'000;
/// Deliveries that one call may bring about: what one transaction bears in a tenth of a second.
inline constexpr std::size_t kSplitDeliveriesMax = 10'000;
/// Bodies of those events, an omitted payload counted as the event's own: what a plan and its
/// commit hold at once.
inline constexpr std::uint64_t kSplitBytesMax = kBodyBytesMax;
/// Transforms of one source at a time: enough to fill the batches of a sandbox.
inline constexpr int kTransformsInFlightMax = 128;
static_assert(kTransformsInFlightMax <= kMaxInFlightMax);
/// Waits between the three tries of a transform (docs/SEMANTICS.md, "Fan-out").
inline constexpr Millis kTransformRetryFirst{1'000};
inline constexpr Millis kTransformRetrySecond{10'000};
/// Versions of one script that are kept; beyond, the oldest goes.
inline constexpr std::size_t kScriptVersionsMax = 100;

/// Rows of one list page.
inline constexpr int kPageDefault = 50;
inline constexpr int kPageMax = 200;

}  // namespace grapnel::model
