#include "async/notify.h"

#include <boost/asio/redirect_error.hpp>

namespace grapnel::async {

Notify::Notify(Executor executor) : never_(std::move(executor)) {
  never_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Notify::notify_all() {
  if (waiters_ > 0) never_.cancel();
}

Task<> Notify::wait() {
  boost::system::error_code ignored;
  ++waiters_;
  co_await never_.async_wait(boost::asio::redirect_error(use_task, ignored));
  --waiters_;
}

}  // namespace grapnel::async
