// Turns of large bodies: they are read at kLargeBodyBytesPerSecond in all, so that whoever sends as
// fast as the loop can read leaves most of the loop, and of the machine, to small webhooks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "async/task.h"
#include "async/timers.h"
#include "drivers/http/limits.h"

namespace grapnel::http {

/// On the loop's thread.
class BodyPace {
 public:
  explicit BodyPace(async::Timers& timers) : timers_(timers) {}

  /// Returns when `bytes` may be read.
  async::Task<> take(std::size_t bytes) {
    const Monotonic turn = std::max(timers_.now(), free_);
    free_ = turn + std::chrono::nanoseconds(bytes * 1'000'000'000 / kLargeBodyBytesPerSecond);
    if (turn > timers_.now()) co_await timers_.sleep_until(turn);
  }

 private:
  async::Timers& timers_;
  Monotonic free_{};
};

}  // namespace grapnel::http
