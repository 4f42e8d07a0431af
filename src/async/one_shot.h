// One value handed from a callback to one waiting coroutine, in either order.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <optional>
#include <utility>

#include "async/task.h"
#include "base/check.h"

namespace grapnel::async {

/// Waiting cannot be canceled: whoever makes the value always sets it. Both sides are on the loop's
/// thread; another thread posts to the loop first. The OneShot outlives its wait.
template <class T>
class OneShot {
 public:
  explicit OneShot(Executor executor) : executor_(std::move(executor)) {}
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  void set(T value) {
    GRAPNEL_CHECK(!value_);
    value_.emplace(std::move(value));
    if (handler_) boost::asio::post(executor_, std::move(*handler_));
  }

  Task<T> wait() {
    if (!value_) {
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>&, void()>(
          [this](auto handler) { handler_.emplace(std::move(handler)); }, use_task);
    }
    co_return std::move(*value_);
  }

 private:
  Executor executor_;
  std::optional<T> value_;
  // Optional, because assigning to an any_completion_handler of Boost 1.81 never returns.
  std::optional<boost::asio::any_completion_handler<void()>> handler_;
};

}  // namespace grapnel::async
