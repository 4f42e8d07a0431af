// Bounds of the API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/units.h"
#include "model/limits.h"

namespace grapnel::api {

/// A JSON document: an action with a CA bundle of 256 KiB, escaped, fits three times.
inline constexpr std::uint64_t kJsonBytesMax = 1_MiB;
static_assert(kJsonBytesMax >= 2 * model::kCaBundleBytesMax, "a CA bundle fits, escaped");
/// Nesting of a document: the deepest real one has 4 levels.
inline constexpr std::size_t kJsonDepthMax = 32;

/// Query parameters of one request: the longest list has 9 filters.
inline constexpr std::size_t kQueryParametersMax = 32;

/// A rotated secret signs on for so long, unless the request says otherwise, and at most (Svix's
/// bound, and long enough for a receiver that deploys once a week).
inline constexpr Millis kOverlapDefault{24LL * 3'600'000};
inline constexpr Millis kOverlapMax{7 * 24LL * 3'600'000};
static_assert(kOverlapDefault <= kOverlapMax);

/// How often a change is made anew because the definition changed under it (health reports raise
/// revisions too), before 409.
inline constexpr int kChangeTriesMax = 8;

/// Deliveries replayed a second by one job: above what one machine sends.
inline constexpr double kReplayRateMax = 100'000;

/// Body of an event that is repeated inside its JSON form; larger ones have their own address only.
inline constexpr std::uint64_t kPayloadShownBytesMax = 1_MiB;

/// How often last uses of keys are written; they are kept to the minute.
inline constexpr Millis kTouchEvery{60'000};

/// Definitions and keys are few and a page costs no read of the store, so a page is full by
/// default.
inline constexpr int kDefinitionPageDefault = model::kPageMax;

/// Folder of a backup: PATH_MAX of Linux.
inline constexpr std::size_t kFolderBytesMax = 4'096;

/// Text of an API key that is looked at; ours have 46 characters.
inline constexpr std::size_t kTokenBytesMax = 512;

/// Trials of scripts at a time, of all sources: one runs beside the slow scripts of others, half a
/// second each.
inline constexpr int kTrialsMax = 2;

/// Retry-After where the cause names no time: long enough to pass, short enough for a sender's
/// first retry.
inline constexpr Millis kRetryAfterStore{5'000};
inline constexpr Millis kRetryAfterBusy{1'000};

}  // namespace grapnel::api
