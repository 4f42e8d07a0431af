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

  /// Whether what was read before is paid for with time.
  bool is_free() const { return timers_.now() >= next_turn_; }
  /// Returns when it is.
  async::Task<> turn() {
    while (!is_free()) co_await timers_.sleep_until(next_turn_);
  }
  /// So much was read in that turn; a sender that trickles costs the others what it sends.
  void used(std::size_t bytes) {
    next_turn_ = std::max(timers_.now(), next_turn_) +
                 std::chrono::nanoseconds(bytes * 1'000'000'000 / kLargeBodyBytesPerSecond);
  }

 private:
  async::Timers& timers_;
  Monotonic next_turn_{};
};

}  // namespace grapnel::http
