// Receiving: limits -> verify -> dedupe -> store -> 202. Nothing is acknowledged before it is
// durable.
//
//   admit(head) -- body --> receive(request): describe, plan
//                                |
//                                v
//                 a batch --> EventLog::append --> Receipt
//                                |
//                                \-- born leased --> Dispatcher
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "async/blocking_pool.h"
#include "async/deadline.h"
#include "async/timers.h"
#include "crypto/keyed_digest.h"
#include "model/event_log.h"
#include "model/http.h"
#include "model/registry.h"
#include "model/upkeep.h"
#include "pipeline/batcher.h"
#include "pipeline/metrics.h"
#include "pipeline/plan.h"
#include "pipeline/rate_limiter.h"
#include "pipeline/refusal.h"

namespace grapnel::pipeline {

struct Receipt {
  model::Admission admission =
      model::Admission::accepted;  ///< accepted, recorded, held or duplicate
  model::EventId event;
};

/// Takes over deliveries that were leased at birth. Implemented by Dispatcher.
class Adopter : public LeaseRoom {
 public:
  virtual void adopt(const model::FanoutPlan& plan, const model::Appended& appended,
                     model::EventPtr event) = 0;
};

class Ingest {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    const StoreClock& clock;
    IdSource& ids;
    model::Registry& registry;
    model::EventLog& log;
    const model::DeliveryBook& book;
    const model::Upkeep& upkeep;
    Adopter& adopter;
    const crypto::KeyedDigest& digest;
    async::BlockingPool* pool;  ///< for large bodies; null: on the loop
    Metrics& metrics;
    Random& random;
  };
  explicit Ingest(Parts parts);

  /// Before the body: whether the source exists, and how much it takes.
  std::expected<model::BodyAllowance, Refusal> admit(std::string_view slug,
                                                     const model::HttpRequest& head) const;
  /// Returns when the event is durable, or refused. Not cancelable: whoever goes away meanwhile
  /// leaves an event that is stored and counted like any other.
  async::Task<std::expected<Receipt, Refusal>> receive(std::string slug,
                                                       model::HttpRequest request);
  /// Waits until everything gathered is answered.
  async::Task<> stop(async::Deadline deadline);

 private:
  using Outcome = std::expected<Receipt, Refusal>;

  std::optional<Refusal> check(const model::Source& source, const model::HttpRequest& request);
  async::Task<std::expected<model::Event, Refusal>> make_event(const model::Source& source,
                                                               model::HttpRequest request);
  async::Task<Outcome> take(std::string slug, model::HttpRequest request);
  async::Task<Outcome> store(std::string slug, model::Event event);
  Receipt accepted(const model::FanoutPlan& plan, const model::Appended& appended,
                   model::EventPtr event);
  Refusal store_refusal(const Error& error) const;

  Parts parts_;
  Planner planner_;
  RateLimiter rates_;
  Batcher<model::EventDraft, model::Appended> appends_;
};

}  // namespace grapnel::pipeline
