#include "async/notify.h"

#include <boost/asio/redirect_error.hpp>

namespace grapnel::async {
namespace {

/// Counts one waiter while it waits, also when it is canceled or its frame destroyed.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

}  // namespace

Notify::Notify(Executor executor) : never_(executor) {
  never_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Notify::notify_all() {
  if (waiters_ > 0) never_.cancel();
}

Task<> Notify::wait() {
  boost::system::error_code ignored;
  const Counted counted(waiters_);
  co_await never_.async_wait(boost::asio::redirect_error(use_task, ignored));
}

}  // namespace grapnel::async
