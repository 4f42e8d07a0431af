// Dispatching: every leased delivery becomes an attempt, every attempt an outcome, and an outcome
// counts once it is durable. Each action has a lane of its own, so that a slow or dead endpoint
// slows nobody else.
//
//   born leased ──adopt──┐
//                        ├─► lane.ready ─► attempt ─► settle (batched) ─► store
//   store ──lease loop───┘        ▲                        │
//            ▲                    └──── pump ◄─────────────┘
//            └── hints: what a commit made leasable, and when
//
// While the store cannot commit no attempt starts; finished outcomes are kept and written first.
#pragma once

#include <memory>
#include <set>
#include <unordered_map>

#include "async/deadline.h"
#include "async/notify.h"
#include "async/scope.h"
#include "async/timers.h"
#include "model/delivery_book.h"
#include "model/registry.h"
#include "pipeline/attempt.h"
#include "pipeline/batcher.h"
#include "pipeline/ingest.h"
#include "pipeline/journal.h"
#include "pipeline/lane.h"
#include "pipeline/metrics.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

class Dispatcher final : public Adopter {
 public:
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    const StoreClock& clock;
    Random& random;
    model::Registry& registry;
    model::EventLog& log;
    model::DeliveryBook& book;
    Attempter& attempter;
    Metrics& metrics;
    telemetry::Log& log_lines;
    AttemptJournal& journal;
  };
  explicit Dispatcher(Parts parts);
  ~Dispatcher();

  /// Takes over the book's hints. Call once.
  void start();
  /// No new attempt from now on; what is leased and not started goes back to the store.
  void begin_drain();
  /// After begin_drain: waits for attempts until `deadline`, then hands back what still runs.
  /// Returns when every outcome is durable, or the store refused it at the deadline.
  async::Task<> stop(async::Deadline deadline);

  /// Definitions changed: lanes that may no longer run hand back, those that may run again begin.
  void on_definitions(const model::SnapshotPtr& snapshot);

  // Adopter
  bool reserve(const model::Action& action, std::uint64_t body_bytes) override;
  void release(model::ActionId action, std::uint64_t body_bytes) override;
  void adopt(const model::FanoutPlan& plan, const model::Appended& appended,
             model::EventPtr event) override;

  int attempts_in_flight() const { return attempting_; }
  bool store_is_up() const { return store_up_; }

 private:
  Lane& lane_of(model::ActionId id);
  void forget_if_idle(model::ActionId id);
  void on_hints(const std::vector<model::WorkHint>& hints);
  void set_due(model::ActionId id, Lane& lane, std::optional<Time> due);

  // Leasing
  async::Task<> lease_loop();
  void arm_alarm();
  async::Task<> alarm(Monotonic at);
  std::vector<model::LeaseWish> wishes() const;
  std::size_t room_in(const Lane& lane) const;
  async::Task<> lease(std::vector<model::LeaseWish> wishes);
  async::Task<> take_leases(std::vector<model::Lease> leases);

  // Attempting
  void pump(model::ActionId id);
  void pump_all();
  bool may_start(const Lane& lane) const;
  void push_ready(Lane& lane, Ready ready);
  Ready pop_ready(Lane& lane);
  async::Task<> run(model::ActionId id, Ready ready);
  void start(model::ActionId id, Lane& lane, Ready ready);
  async::Task<AttemptReport> make_attempt(model::ActionId id, Ready& ready);
  model::Settlement conclude(model::ActionId id, Lane& lane, const Ready& ready,
                             AttemptReport report);

  // Running alone, after kUnknownStreakMax unknown attempts
  void start_alone();

  // Settling
  async::Task<> finish(model::ActionId id, model::Settlement settlement);
  void hand_back(model::ActionId id, Ready ready);
  void store_failed(const Error& error);
  void store_works();
  Millis store_backoff();

  Parts parts_;
  std::unordered_map<model::ActionId, std::unique_ptr<Lane>> lanes_;
  std::set<std::pair<Time, model::ActionId>> due_;  ///< lanes with work in the store, soonest first
  std::uint64_t ready_bytes_ = 0;
  std::uint64_t attempt_bytes_ = 0;
  int attempting_ = 0;
  bool store_up_ = true;
  Millis backoff_;
  bool leasing_ = false;
  std::vector<model::WorkHint> hinted_;  ///< while a lease call is under way
  bool draining_ = false;
  bool stopped_ = false;
  bool held_up_ = false;  ///< some lane waits for a bound that all lanes share
  std::deque<std::pair<model::ActionId, Ready>> alone_;
  bool alone_runs_ = false;
  Monotonic armed_ = Monotonic::max();
  async::Notify wanted_;
  async::Notify settled_;
  Batcher<model::Settlement, model::Settled> settlements_;
  async::Scope attempts_;
  async::Scope background_;
};

}  // namespace grapnel::pipeline
