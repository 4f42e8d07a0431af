// Time as a parameter. Code above this room never reads a system clock itself.
//
//   Clock       what the machine says: a wall clock that may jump and a monotonic one that does not
//   StoreClock  what the pipeline runs on: wall time that never goes back and, while the
//               process runs, advances by monotonic time only; a jump of the wall clock
//               changes nothing
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grapnel {

/// Milliseconds since the Unix epoch: the unit of every stored time.
using Millis = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Millis>;
using Monotonic = std::chrono::steady_clock::time_point;

/// The machine's clocks. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time wall() const = 0;
  virtual Monotonic monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time wall() const override;
  Monotonic monotonic() const override;
};

/// Wall time of the pipeline: max(wall at start, `not_before`) + monotonic time since. Thread-safe.
class StoreClock {
 public:
  /// `not_before` is the newest time found in the store, so that time never goes back over a
  /// restart.
  StoreClock(const Clock& clock, Time not_before);

  Time now() const;
  /// How far the wall clock is ahead of (positive) or behind this clock now.
  Millis wall_offset() const;

 private:
  const Clock& clock_;
  Time start_;
  Monotonic monotonic_start_;
};

/// RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z.
std::string to_rfc3339(Time time);
/// Accepts RFC 3339 with any offset and up to nine decimals (cut to milliseconds). Error:
/// malformed.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace grapnel
