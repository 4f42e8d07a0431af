// Receiving: limits -> verify -> rate -> dedupe -> store -> 202. Nothing is acknowledged before it
// is durable; who is not verified takes no key and nothing of the source's rate.
//
//   admit(head) -- body --> receive(request): verify --> describe, plan
//                                |   |   \-- a handshake: answered, no event
//                                |   \------ refused: Quarantine
//                                v
//                 a batch --> EventLog::append --> Receipt
//                                |
//                                \-- born leased --> Dispatcher
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "async/deadline.h"
#include "async/timers.h"
#include "crypto/keyed_digest.h"
#include "model/event_log.h"
#include "model/http.h"
#include "model/registry.h"
#include "model/upkeep.h"
#include "pipeline/audit.h"
#include "pipeline/batcher.h"
#include "pipeline/gate.h"
#include "pipeline/metrics.h"
#include "pipeline/plan.h"
#include "pipeline/quarantine.h"
#include "pipeline/rate_limiter.h"
#include "pipeline/refusal.h"

namespace grapnel::pipeline {

struct Taken {
  model::Admission admission =
      model::Admission::accepted;  ///< accepted, recorded, held or duplicate
  model::EventId event;
};

struct Receipt {
  model::Admission admission = model::Admission::accepted;  ///< of the first, or only, event
  model::EventId event;
  /// Of a request that held several events (CloudEvents batch), maybe none.
  std::optional<std::vector<Taken>> batch = std::nullopt;
  /// A handshake's: nothing was stored.
  std::optional<model::HttpResponse> answer = std::nullopt;
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
    const Clock& wall;  ///< what senders' timestamps are compared with
    const crypto::SecretBox& box;
    telemetry::Log& log_lines;
    Quarantine& quarantine;
  };
  explicit Ingest(Parts parts);

  /// Before the body: whether the source exists and takes that method, and how much it takes.
  std::expected<model::BodyAllowance, Refusal> admit(std::string_view slug,
                                                     const model::HttpRequest& head);
  /// Returns when the event is durable, or refused. Not cancelable: whoever goes away meanwhile
  /// leaves an event that is stored and counted like any other.
  async::Task<std::expected<Receipt, Refusal>> receive(std::string slug,
                                                       model::HttpRequest request);
  /// Waits until everything gathered is answered.
  async::Task<> stop(async::Deadline deadline);

 private:
  using Outcome = std::expected<Receipt, Refusal>;
  using Verification = std::expected<signature::Verified, signature::Rejected>;
  /// An event on its way into the store.
  struct Draft {
    model::Event event;
    std::shared_ptr<const std::string> large_body;
    std::string body_file;
    std::optional<model::FanoutPlan> plan;
    std::optional<Taken> taken;
  };

  Outcome refuse(std::string_view slug, const std::string& remote, Refusal refusal);
  Outcome answer_by_method(const Entrance& entrance, const model::HttpRequest& request);
  /// Error: no thread is free for a large body.
  async::Task<Result<Verification>> let_in(EntrancePtr entrance, const model::HttpRequest& request);
  std::optional<Refusal> check(const model::Source& source);
  async::Task<std::expected<std::vector<model::HttpRequest>, Refusal>> events_in(
      const model::Source& source, model::HttpRequest request);
  async::Task<std::expected<model::Event, Refusal>> make_event(const model::Source& source,
                                                               model::HttpRequest request);
  async::Task<Outcome> take(std::string slug, model::HttpRequest request);
  async::Task<Outcome> take_verified(EntrancePtr entrance, model::HttpRequest request);
  async::Task<std::optional<Refusal>> store(std::string slug, std::vector<Draft>& drafts);
  /// One try of those that are not taken yet. Nothing: plan again, or all are.
  async::Task<std::optional<Refusal>> append(std::vector<Draft>& drafts);
  std::optional<Refusal> plan_all(std::vector<Draft>& drafts);
  /// Gives back what a draft that was not stored had reserved.
  void give_up(Draft& draft);
  void note(Draft& draft, const model::Appended& appended);
  Refusal store_refusal(const Error& error) const;

  Parts parts_;
  Planner planner_;
  RateLimiter rates_;
  Gate gate_;
  Audit audit_;
  Batcher<model::EventDraft, model::Appended> appends_;
};

}  // namespace grapnel::pipeline
