// Threads for libraries that block (SQLite reads, files). Coroutines hand a function over and wait
// for its value; the function runs on a thread of the pool and touches nothing of the loop.
#pragma once

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <type_traits>

#include "async/errors.h"
#include "async/limits.h"
#include "async/one_shot.h"
#include "async/task.h"
#include "base/result.h"

namespace grapnel::async {

class BlockingPool {
 public:
  BlockingPool(Executor loop, std::size_t threads);
  /// Waits for running functions; call it when the loop no longer needs their values.
  ~BlockingPool();

  /// Runs `function` on a thread; it must not throw. Not cancelable: a canceled caller still waits.
  /// `function` returns a Result<T>. Error of its own: queue_full.
  template <class Function>
  Task<std::invoke_result_t<Function&>> run(Function function) {
    using Value = std::invoke_result_t<Function&>;
    OneShot<Value> done(loop_);
    const bool taken = post([this, &done, &function] {
      Value value = function();
      to_loop([&done, value = std::move(value)]() mutable { done.set(std::move(value)); });
    });
    if (!taken) co_return fail(errc::queue_full, "too many blocking calls wait");
    co_return co_await done.wait();
  }

 private:
  bool post(std::function<void()> job);
  template <class Job>
  void to_loop(Job job) {
    boost::asio::post(loop_, std::move(job));
  }

  Executor loop_;
  boost::asio::thread_pool threads_;
  std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace grapnel::async
