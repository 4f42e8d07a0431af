#include "doubles/manual_timers.h"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>

#include "async/errors.h"
#include "doubles/drive.h"

namespace grapnel::doubles {

async::Task<Result<>> ManualTimers::sleep_until(Monotonic at) {
  const bool canceled =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<async::Executor>&,
                                           void(bool)>(
          [this, at](auto handler) { add(at, std::move(handler)); }, async::use_task);
  if (canceled) co_return fail(async::errc::canceled);
  co_return Result<>{};
}

void ManualTimers::add(Monotonic at, Handler handler) {
  const Place place{at, ++sleeps_};
  const auto slot = boost::asio::get_associated_cancellation_slot(handler);
  sleepers_.emplace(place, std::move(handler));
  if (at <= now()) return finish(place, Wake::due);
  if (slot.is_connected()) {
    auto mutable_slot = slot;
    mutable_slot.assign(
        [this, place](boost::asio::cancellation_type) { finish(place, Wake::canceled); });
  }
}

void ManualTimers::finish(Place place, Wake why) {
  auto node = sleepers_.extract(place);
  if (node.empty()) return;
  boost::asio::post(loop_, boost::asio::append(std::move(node.mapped()), why == Wake::canceled));
}

void ManualTimers::advance(std::chrono::nanoseconds duration) {
  const Monotonic end = now() + duration;
  run_ready(loop_);
  for (auto next = next_deadline(); next && *next <= end; next = next_deadline()) {
    wake_next();
    run_ready(loop_);
  }
  clock_.advance(end - now());
}

bool ManualTimers::wake_next() {
  const auto next = next_deadline();
  if (!next) return false;
  if (*next > now()) clock_.advance(*next - now());
  wake_due();
  return true;
}

void ManualTimers::wake_due() {
  while (!sleepers_.empty() && sleepers_.begin()->first.first <= now()) {
    finish(sleepers_.begin()->first, Wake::due);
  }
}

std::optional<Monotonic> ManualTimers::next_deadline() const {
  if (sleepers_.empty()) return std::nullopt;
  return sleepers_.begin()->first.first;
}

}  // namespace grapnel::doubles
