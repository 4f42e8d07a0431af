#include "drivers/http/watchdog.h"

#include "async/timers.h"
#include "base/check.h"

namespace grapnel::http {

Watched::Watched(Watchdog& watchdog) : watchdog_(watchdog) { watchdog_.add(*this); }

Watched::~Watched() { watchdog_.remove(*this); }

Watchdog::Watchdog(async::Executor executor, std::chrono::milliseconds tick)
    : executor_(executor), tick_(tick), added_(executor) {}

Watchdog::~Watchdog() { GRAPNEL_CHECK(all_.empty(), all_.size()); }

async::Task<> Watchdog::run() {
  async::SystemTimers timers(executor_);
  for (;;) {
    while (all_.empty()) co_await added_.wait();
    if (!co_await timers.sleep_for(tick_)) co_return;
    look(timers.now());
  }
}

void Watchdog::add(Watched& watched) {
  watched.place_ = all_.size();
  all_.push_back(&watched);
  if (all_.size() == 1) added_.notify_all();
}

void Watchdog::remove(Watched& watched) {
  all_[watched.place_] = all_.back();
  all_[watched.place_]->place_ = watched.place_;
  all_.pop_back();
}

void Watchdog::look(Monotonic now) {
  // Backwards, so that one which destroys itself is replaced by one already looked at.
  for (std::size_t i = all_.size(); i-- > 0;) {
    Watched& watched = *all_[i];
    if (watched.at_ > now) continue;
    watched.expired_ = true;
    watched.interrupt();
  }
}

}  // namespace grapnel::http
