#include "async/scope.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

#include "base/check.h"

namespace grapnel::async {
namespace {

/// Why a task ended by an exception; empty for a cancellation, which is an ordinary end.
std::string describe_failure(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) return {};
    return error.what();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

Scope::~Scope() { GRAPNEL_CHECK(tasks_.empty() || executor_.context().stopped(), tasks_.size()); }

void Scope::spawn(Task<> task) {
  if (canceled_) return;
  const auto self = tasks_.emplace(tasks_.end());
  boost::asio::co_spawn(executor_, std::move(task),
                        boost::asio::bind_cancellation_slot(
                            self->signal.slot(), [this, self](const std::exception_ptr& failure) {
                              if (failure) {
                                const std::string why = describe_failure(failure);
                                GRAPNEL_CHECK(why.empty(), why);
                              }
                              forget(self);
                              if (tasks_.empty()) changed_.notify_all();
                            }));
}

void Scope::forget(std::list<Running>::iterator task) {
  std::list<Running> ended;
  ended.splice(ended.end(), tasks_, task);
  // Emitted from outside the loop's run, a signal travels through the loop's queue as a bare
  // pointer (Boost 1.81, co_spawn_cancellation_handler), and the task's end may stand before it
  // there.
  if (canceled_) boost::asio::post(executor_, [kept = std::move(ended)] {});
}

void Scope::cancel() {
  canceled_ = true;
  // A signal may end its task at once and so erase its own list node.
  for (auto at = tasks_.begin(); at != tasks_.end();) {
    auto& signal = (at++)->signal;
    signal.emit(boost::asio::cancellation_type::terminal);
  }
}

Task<> Scope::join() {
  while (!tasks_.empty()) co_await changed_.wait();
}

Task<bool> Scope::join(Timers& timers, Deadline deadline) {
  using namespace boost::asio::experimental::awaitable_operators;
  while (!tasks_.empty() && !deadline.passed(timers.now())) {
    co_await (changed_.wait() || timers.sleep_until(deadline.at()));
  }
  co_return tasks_.empty();
}

}  // namespace grapnel::async
