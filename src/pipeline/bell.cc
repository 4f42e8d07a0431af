#include "pipeline/bell.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace grapnel::pipeline {

void Bell::ring() {
  rung_ = true;
  notify_.notify_all();
}

async::Task<> Bell::wait() {
  if (!rung_) co_await notify_.wait();
  rung_ = false;
}

async::Task<> Bell::wait_until(Monotonic at) {
  using namespace boost::asio::experimental::awaitable_operators;
  if (!rung_) co_await (notify_.wait() || timers_.sleep_until(at));
  rung_ = false;
}

}  // namespace grapnel::pipeline
