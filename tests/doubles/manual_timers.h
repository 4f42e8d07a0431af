// Timers over a clock that is moved by hand: nothing sleeps, and sleepers wake in the order of
// their times (those of one time in the order in which they began to wait).
#pragma once

#include <boost/asio/any_completion_handler.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "async/timers.h"
#include "doubles/manual_clock.h"

namespace grapnel::doubles {

/// Outlives whatever sleeps on it. Used on the loop's thread.
class ManualTimers final : public async::Timers {
 public:
  ManualTimers(async::Loop& loop, ManualClock& clock) : loop_(loop), clock_(clock) {}

  Monotonic now() const override { return clock_.monotonic(); }
  async::Task<Result<>> sleep_until(Monotonic at) override;

  /// Lets `duration` pass: moves the clock from deadline to deadline, running what each wakes, and
  /// then to the end. Called from outside the loop.
  void advance(std::chrono::nanoseconds duration);
  /// Moves the clock to the next deadline and wakes the sleepers of that time without running them;
  /// false when nobody sleeps.
  bool wake_next();
  /// Wakes whoever is due at the clock's time, for a test that moved the clock itself.
  void wake_due();

  /// When the next sleeper wakes; nothing: nobody sleeps.
  std::optional<Monotonic> next_deadline() const;
  std::size_t sleepers() const { return sleepers_.size(); }

 private:
  using Handler = boost::asio::any_completion_handler<void(bool canceled)>;
  enum class Wake : std::uint8_t { due, canceled };
  using Place = std::pair<Monotonic, std::uint64_t>;

  void add(Monotonic at, Handler handler);
  void finish(Place place, Wake why);

  async::Loop& loop_;
  ManualClock& clock_;
  std::map<Place, Handler> sleepers_;
  std::uint64_t sleeps_ = 0;  // all that ever began
};

}  // namespace grapnel::doubles
