// A deadline as a value: passed down, never extended; a child gets the smaller of its own and its
// parent's.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace grapnel::async {

class Deadline {
 public:
  explicit Deadline(Monotonic at) : at_(at) {}

  Monotonic at() const { return at_; }
  bool passed(Monotonic now) const { return now >= at_; }
  /// Zero when it has passed.
  std::chrono::nanoseconds left(Monotonic now) const {
    return std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{at_ - now});
  }
  /// The earlier of this deadline and `now + most`.
  Deadline within(Monotonic now, std::chrono::nanoseconds most) const {
    return most < at_ - now ? Deadline(now + most) : *this;
  }

 private:
  Monotonic at_;
};

}  // namespace grapnel::async
