// Bounds of the base room.
#pragma once

#include <chrono>
#include <cstddef>

namespace grapnel {

/// Bytes read ahead from the kernel at once: one system call serves 256 ids of 16 bytes.
inline constexpr std::size_t kRandomAheadBytes = 4096;
/// Longest text of a duration, size or time that is looked at; all real ones are under 40
/// characters.
inline constexpr std::size_t kUnitTextMax = 64;
/// Longest duration that anybody can configure: ten years, far inside what milliseconds can hold,
/// so that sums of a time and a duration never overflow.
inline constexpr std::chrono::milliseconds kDurationMax = std::chrono::days{3650};

static_assert(kRandomAheadBytes % 16 == 0, "whole ids");

}  // namespace grapnel
