// Bounds of the doubles: small, so that tests reach them with few rows.
#pragma once

#include <cstddef>

namespace grapnel::doubles {

/// Rows that one step of slow work touches.
inline constexpr int kStepRows = 32;
/// Running replay jobs.
inline constexpr std::size_t kRunningJobsMax = 100;
/// How far seq and fences leap at a restart or restore, so that no number of before is ever met
/// again.
inline constexpr long kLeap = 1'000;

static_assert(kLeap > kStepRows, "a leap is further than one step could have gone");

}  // namespace grapnel::doubles
