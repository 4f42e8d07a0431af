// Bounds of the base room.
#pragma once

#include <cstddef>

namespace grapnel {

/// Bytes read ahead from the kernel at once: one system call serves 256 ids of 16 bytes.
inline constexpr std::size_t kRandomAheadBytes = 4096;
/// Longest text of a duration, size or time that is looked at; all real ones are under 40
/// characters.
inline constexpr std::size_t kUnitTextMax = 64;

static_assert(kRandomAheadBytes % 16 == 0, "whole ids");

}  // namespace grapnel
