// A clock moved by hand: wall and monotonic time apart, so that a test can let the wall clock jump.
#pragma once

#include "base/check.h"
#include "base/clock.h"

namespace grapnel::doubles {

/// 2026-01-01T00:00:00Z: an honest date, so that ids and texts look like real ones.
inline constexpr Time kManualStart{Millis{1'767'225'600'000}};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time wall = kManualStart) : wall_(wall) {}

  Time wall() const override { return std::chrono::floor<Millis>(wall_); }
  Monotonic monotonic() const override { return monotonic_; }

  /// Lets time pass: both clocks go on.
  void advance(std::chrono::nanoseconds duration) {
    GRAPNEL_CHECK(duration.count() >= 0, duration.count());
    wall_ += duration;
    monotonic_ += duration;
  }
  /// Sets the wall clock alone forward or back, as an operator or a time server does.
  void jump_wall(std::chrono::nanoseconds by) { wall_ += by; }

 private:
  std::chrono::sys_time<std::chrono::nanoseconds> wall_;
  Monotonic monotonic_{std::chrono::hours{1}};  // not zero: code must not take it for "never"
};

}  // namespace grapnel::doubles
