// Waiting as a parameter: real timers in production, hand-moved ones in tests and the simulation.
#pragma once

#include <memory>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"

namespace grapnel::async {

/// Timers of one loop. Used on the loop's thread only.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual Monotonic now() const = 0;
  /// Returns when `at` has come. Error: canceled.
  virtual Task<Result<>> sleep_until(Monotonic at) = 0;
  Task<Result<>> sleep_for(std::chrono::nanoseconds duration) {
    return sleep_until(now() + duration);
  }
};

class SystemTimers final : public Timers {
 public:
  explicit SystemTimers(Executor executor) : executor_(std::move(executor)) {}
  Monotonic now() const override { return std::chrono::steady_clock::now(); }
  Task<Result<>> sleep_until(Monotonic at) override;

 private:
  Executor executor_;
};

}  // namespace grapnel::async
