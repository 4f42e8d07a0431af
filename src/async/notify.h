// Wakes whoever waits: the condition variable of one loop. A waiter looks at its own condition
// again after each wake-up, so spurious ones are harmless.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace grapnel::async {

class Notify {
 public:
  explicit Notify(Executor executor);

  /// Wakes all that wait now; one that begins to wait later is not woken.
  void notify_all();
  /// Returns at the next notify_all, or when the waiting coroutine is canceled; a coroutine that
  /// was canceled before is ended by it (scope.h), so a loop around it always ends.
  Task<> wait();

 private:
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, Executor>
      never_;
  int waiters_ = 0;
};

}  // namespace grapnel::async
