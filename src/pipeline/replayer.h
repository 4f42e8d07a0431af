// Bulk replays: durable jobs, taken on after a restart, one bounded step at a time at the job's
// rate.
#pragma once

#include "async/notify.h"
#include "async/scope.h"
#include "async/timers.h"
#include "base/id.h"
#include "model/delivery_book.h"
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
  void wake() { wanted_.notify_all(); }
  async::Task<> stop();

 private:
  async::Task<> run();
  async::Task<> step(const model::ReplayJob& job);

  Parts parts_;
  async::Notify wanted_;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
