// Background work that cannot outlive its owner. A class declares its Scope last, so that
// everything a task uses is still alive while it unwinds.
//
//   open --cancel()--> cancelling --last task ends--> joined
#pragma once

#include <boost/asio/cancellation_signal.hpp>

#include <list>

#include "async/deadline.h"
#include "async/notify.h"
#include "async/task.h"
#include "async/timers.h"

namespace grapnel::async {

/// Used on the loop's thread only. Every scope is joined before it is destroyed (checked), unless
/// its loop has stopped for good.
class Scope {
 public:
  explicit Scope(Executor executor) : executor_(executor), changed_(executor) {}
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// Starts the task: inside the loop at once, from outside at its next turn. After cancel() it is
  /// dropped unstarted. A task that ends by an exception other than a cancellation is a bug and
  /// ends the process.
  void spawn(Task<> task);
  /// Asks every task to stop: what it waits on now (or next) returns canceled. A task that then
  /// waits again is ended by an exception of Asio's, so it cannot miss its cancellation. A task
  /// that has something left to finish first turns that off:
  /// `co_await boost::asio::this_coro::throw_if_cancelled(false)`.
  void cancel();
  /// Waits until no task is left.
  Task<> join();
  /// The same, but not beyond the deadline. Whether no task is left.
  Task<bool> join(Timers& timers, Deadline deadline);
  /// Tasks that have not ended.
  std::size_t running() const { return tasks_.size(); }

 private:
  struct Running {
    boost::asio::cancellation_signal signal;
  };

  void forget(std::list<Running>::iterator task);

  Executor executor_;
  std::list<Running> tasks_;
  Notify changed_;
  bool canceled_ = false;
};

}  // namespace grapnel::async
