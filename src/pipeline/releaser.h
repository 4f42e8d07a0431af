// Held events: released in seq order when their source is active again, recorded when it records.
#pragma once

#include "async/deadline.h"
#include "async/scope.h"
#include "async/timers.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"
#include "pipeline/bell.h"
#include "pipeline/metrics.h"
#include "pipeline/plan.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

class Releaser {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    IdSource& ids;
    model::Registry& registry;
    model::EventLog& log;
    const model::DeliveryBook& book;
    model::Upkeep& upkeep;
    Metrics& metrics;
    telemetry::Log& log_lines;
  };
  explicit Releaser(Parts parts);

  void start();
  /// A source's mode may have changed.
  void wake() { wanted_.ring(); }
  async::Task<> stop(async::Deadline deadline);

 private:
  /// In the order in which one source's progress outweighs another's.
  enum class Progress : std::uint8_t { idle, blocked, more };

  async::Task<> run();
  async::Task<Progress> step(model::SourcePtr entry);
  async::Task<Progress> release(model::SourcePtr entry);

  Parts parts_;
  Planner planner_;
  Bell wanted_;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
