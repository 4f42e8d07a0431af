// Sizes and durations as people write them: "256KiB", "1MiB", "5s", "1h30m".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace grapnel {

inline constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
inline constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
inline constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

/// "250ms", "5s", "5m", "2h", "30d", and sums of them, largest first ("1h30m"). Errors: malformed,
/// out_of_range (above 10 years).
Result<Millis> parse_duration(std::string_view text);
/// The shortest text that parse_duration reads back: 90 s is "1m30s".
std::string format_duration(Millis duration);

/// Bytes: "512", "64KiB", "1MiB", "20GiB" (also "K", "M", "G" and "kB", "MB", "GB", the latter
/// decimal). Errors: malformed, out_of_range.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

}  // namespace grapnel
