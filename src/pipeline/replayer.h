// Bulk replays: durable jobs, taken on after a restart, one bounded step at a time, each at its own
// rate, so that a slow one keeps no other waiting.
#pragma once

#include <map>
#include <optional>

#include "async/deadline.h"
#include "async/scope.h"
#include "async/timers.h"
#include "base/id.h"
#include "model/delivery_book.h"
#include "pipeline/bell.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

class Replayer {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    IdSource& ids;
    model::DeliveryBook& book;
    telemetry::Log& log_lines;
  };
  explicit Replayer(Parts parts);

  void start();
  /// A job was made.
  void wake() { wanted_.ring(); }
  async::Task<> stop(async::Deadline deadline);

 private:
  async::Task<> run();
  /// One step of each job whose time has come. When the next is due; nothing: no job runs.
  async::Task<std::optional<Monotonic>> step_due();
  /// How long until the job's next step; nothing: it has ended.
  async::Task<std::optional<std::chrono::nanoseconds>> step(model::ReplayJob job);

  Parts parts_;
  std::map<model::JobId, Monotonic> next_step_;  ///< of the jobs that run
  Bell wanted_;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
