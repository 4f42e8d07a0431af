// Slow work in bounded steps, away from the hot path: gone endpoints' deliveries die, deletions
// finish, retention sweeps, old idempotency keys go, gauges are read.
#pragma once

#include "async/deadline.h"
#include "async/scope.h"
#include "async/timers.h"
#include "base/clock.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/registry.h"
#include "model/upkeep.h"
#include "pipeline/bell.h"
#include "pipeline/metrics.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

class Caretaker {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    const StoreClock& clock;
    model::Registry& registry;
    const model::DeliveryBook& book;
    model::Catalog& catalog;
    model::Upkeep& upkeep;
    model::RetentionPolicy retention;
    Metrics& metrics;
    telemetry::Log& log_lines;
  };
  explicit Caretaker(Parts parts);

  void start();
  /// Definitions changed: something may be gone or deleting.
  void wake() { wanted_.ring(); }
  async::Task<> stop(async::Deadline deadline);

 private:
  async::Task<> run_urgent();   ///< at each change of definitions
  async::Task<> run_regular();  ///< every kUpkeepEvery
  async::Task<> run_gauges();   ///< every kGaugesEvery
  async::Task<> bury_all();
  async::Task<> finish_deletions();
  async::Task<> sweep();
  async::Task<> read_gauges();
  void look_at_wall_clock();
  void failed(std::string_view what, const Error& error);

  Parts parts_;
  Millis wall_offset_{0};
  Bell wanted_;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
