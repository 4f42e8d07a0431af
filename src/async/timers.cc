#include "async/timers.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/errors.h"

namespace grapnel::async {

Task<Result<>> SystemTimers::sleep_until(Monotonic at) {
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  Timer timer(executor_);
  timer.expires_at(at);
  boost::system::error_code error;
  co_await timer.async_wait(boost::asio::redirect_error(use_task, error));
  if (error) co_return fail(errc::canceled);
  co_return Result<>{};
}

}  // namespace grapnel::async
