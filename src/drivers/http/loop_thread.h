// For tests: a loop on a thread of its own, so that a test can play the rude peer with blocking
// calls.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <memory>
#include <thread>
#include <type_traits>

#include "async/task.h"

namespace grapnel::http {

class LoopThread {
 public:
  LoopThread() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    work_.reset();
    loop_.stop();
    thread_.join();
  }

  async::Executor executor() { return loop_.get_executor(); }

  /// Runs `function` on the loop and returns its value.
  template <class Function>
  auto call(Function function) {
    std::packaged_task<std::invoke_result_t<Function>()> task(std::move(function));
    auto result = task.get_future();
    boost::asio::post(loop_, [&task] { task(); });
    return result.get();
  }

  /// Starts a coroutine; its value comes through the future. `signal` cancels it (from the loop).
  template <class T>
  std::future<T> start(async::Task<T> task, boost::asio::cancellation_signal* signal = nullptr) {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    auto slot = signal == nullptr ? boost::asio::cancellation_slot() : signal->slot();
    auto done = [promise](const std::exception_ptr& failure, auto... value) {
      if (failure) {
        promise->set_exception(failure);
      } else {
        promise->set_value(std::move(value)...);
      }
    };
    boost::asio::co_spawn(loop_, std::move(task),
                          boost::asio::bind_cancellation_slot(slot, std::move(done)));
    return future;
  }
  template <class T>
  T run(async::Task<T> task) {
    return start(std::move(task)).get();
  }

 private:
  async::Loop loop_{1};
  boost::asio::executor_work_guard<async::Executor> work_;
  std::thread thread_;
};

}  // namespace grapnel::http
