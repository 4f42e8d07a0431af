// Outcomes of attempts on their way to the store: written in batches, each counts once it is
// durable. While the store cannot commit they are kept, and written before anything new begins.
//
//   up --a call of the store fails--> down: outcomes are kept and offered again after each back-off
//   down --the last kept outcome is durable, or a call works and none is kept--> up
#pragma once

#include <functional>

#include "async/deadline.h"
#include "async/notify.h"
#include "async/scope.h"
#include "async/timers.h"
#include "model/delivery_book.h"
#include "pipeline/batcher.h"
#include "pipeline/limits.h"
#include "pipeline/metrics.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class Outcomes {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    model::DeliveryBook& book;
    Metrics& metrics;
    telemetry::Log& log_lines;
    std::function<void()> store_back;  ///< down -> up: attempts may start again
  };
  explicit Outcomes(Parts parts);

  /// Returns when it is durable, or nothing when it was refused after give_up(). Its caller cannot
  /// be canceled (throw_if_cancelled is off) and is not more than one of those whose number is
  /// bounded by what is in flight.
  async::Task<std::optional<model::Settled>> write(model::Settlement settlement);

  bool store_is_up() const { return store_up_; }
  /// Outcomes that the store refused so far.
  std::size_t kept() const { return kept_; }
  void store_failed(const Error& error);
  /// Changes nothing while outcomes are kept: they go first.
  void store_works();
  /// How long to wait before the next try of a store that is down: longer each time.
  Millis backoff();

  /// From now on what the store refuses is dropped: the next start finds its lease and counts it as
  /// unknown.
  void give_up();
  bool gives_up() const { return given_up_; }
  /// After give_up(): returns when nobody waits in write(), or at the deadline.
  async::Task<> stop(async::Deadline deadline);

 private:
  using Answer = Result<model::Settled>;

  async::Task<Answer> keep(const model::Settlement& settlement, const Error& error);
  async::Task<> offer_again();

  Parts parts_;
  bool store_up_ = true;
  bool given_up_ = false;
  bool offering_ = false;
  std::size_t kept_ = 0;
  Millis backoff_ = kStoreRetryMin;
  async::Notify retry_;
  Batcher<model::Settlement, model::Settled> batches_;
  async::Scope scope_;
};

}  // namespace grapnel::pipeline
