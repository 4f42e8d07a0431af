// Wakes the one loop that waits for it. Unlike async::Notify it forgets nothing: a ring while the
// loop is busy ends its next wait, so that no change falls between two looks.
#pragma once

#include "async/notify.h"
#include "async/timers.h"

namespace grapnel::pipeline {

/// Used on the loop's thread; one waiter.
class Bell {
 public:
  /// `timers` outlives the bell.
  Bell(async::Executor executor, async::Timers& timers) : timers_(timers), notify_(executor) {}

  void ring();
  /// Returns at the first ring since the last wait, at once if there was one. Cancellation as in
  /// async::Notify: a loop around it always ends.
  async::Task<> wait();
  /// The same, or when `at` has come.
  async::Task<> wait_until(Monotonic at);

 private:
  async::Timers& timers_;
  bool rung_ = false;
  async::Notify notify_;
};

}  // namespace grapnel::pipeline
