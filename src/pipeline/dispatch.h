// Dispatching: every leased delivery becomes an attempt, every attempt an outcome, and an outcome
// counts once it is durable. Each action has a lane of its own, so that a slow or dead endpoint
// slows nobody else; lanes that wait for a bound they share are served in turn.
//
//   born leased ──adopt──┐
//                        ├─► lane.ready ─► attempt ─► Outcomes ─► store
//   store ──lease loop───┘        ▲                      │
//            ▲                    └──── pump ◄───────────┘
//            └── hints: what a commit made leasable, and when
//
// While the store cannot commit no attempt starts; finished outcomes are kept and written first.
// A lease never outlives its owner's interest: what may not run (closed lane, drain) is handed
// back.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <unordered_map>

#include "async/deadline.h"
#include "async/scope.h"
#include "async/timers.h"
#include "model/delivery_book.h"
#include "model/registry.h"
#include "pipeline/attempt.h"
#include "pipeline/bell.h"
#include "pipeline/event_reader.h"
#include "pipeline/fanout.h"
#include "pipeline/ingest.h"
#include "pipeline/journal.h"
#include "pipeline/lane.h"
#include "pipeline/limits.h"
#include "pipeline/metrics.h"
#include "pipeline/outcomes.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

/// What all lanes share.
struct AttemptBounds {
  int attempts_max = kAttemptsMax;
  std::uint64_t bytes_max = kAttemptBytesMax;  ///< of bodies; one attempt may go beyond it
};

/// Used on the loop's thread.
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
    IdSource& ids;
    Attempter& attempter;
    Metrics& metrics;
    telemetry::Log& log_lines;
    AttemptJournal& journal;
    AttemptBounds bounds{};
  };
  explicit Dispatcher(Parts parts);
  ~Dispatcher() override;

  /// Takes over the book's hints. Call once.
  void start();
  /// No new attempt from now on; what is leased and not started goes back to the store.
  void begin_drain();
  /// After begin_drain: returns when nothing is under way and every outcome durable, at the latest
  /// at `deadline`.
  async::Task<> finish_attempts(async::Deadline deadline);
  /// Cuts off what still runs and hands it back. Returns when that is durable or refused, or at
  /// `deadline`; the next start finds what is not as unknown.
  async::Task<> stop(async::Deadline deadline);

  /// Definitions changed: lanes that may no longer run hand back, those that may run again begin.
  void on_definitions(const model::SnapshotPtr& snapshot);

  // Adopter
  bool reserve(const model::Action& action, std::uint64_t body_bytes) override;
  void release(model::ActionId action, std::uint64_t body_bytes) override;
  void adopt(const model::FanoutPlan& plan, const model::Appended& appended,
             model::EventPtr event) override;

  int attempts_in_flight() const { return attempting_; }
  bool store_is_up() const { return outcomes_.store_is_up(); }
  /// Actions that have work here, or soon will.
  std::size_t lanes() const { return lanes_.size(); }

 private:
  Lane& lane_of(model::ActionId id);
  Lane* find_lane(model::ActionId id);
  void forget_if_idle(model::ActionId id);
  void on_hints(const std::vector<model::WorkHint>& hints);
  void set_due(model::ActionId id, Lane& lane, std::optional<Time> due);
  void unreserve(Lane& lane, std::uint64_t body_bytes);

  // Leasing
  async::Task<> lease_loop();
  async::Task<> wait_for_work();
  std::vector<model::LeaseWish> wishes();
  void call_for_work(const Lane& lane);
  async::Task<> lease(std::vector<model::LeaseWish> wishes);
  async::Task<> take_leases(std::vector<model::Lease> leases);
  std::vector<model::EventRun> to_read_ahead(const std::vector<model::Lease>& leases);

  // Attempting
  void push_ready(Lane& lane, Ready ready);
  Ready pop_ready(Lane& lane);
  bool has_room() const;
  void pump(model::ActionId id);
  void hold_up(model::ActionId id, Lane& lane);
  void serve_held_up();
  void start(model::ActionId id, Lane& lane, Ready ready);
  async::Task<> run(model::ActionId id, Ready ready);
  async::Task<AttemptReport> make_attempt(model::ActionId id, Ready& ready);
  model::Settlement conclude(model::ActionId id, Lane& lane, const Ready& ready,
                             AttemptReport report);

  // Running alone, after kUnknownStreakMax unknown attempts
  bool alone_waits_or_runs() const { return alone_.has_value() || alone_runs_; }
  void start_alone();

  // Settling
  /// `made`: of a transform, what comes of its event.
  async::Task<> finish(model::ActionId id, model::Settlement settlement, std::optional<Made> made,
                       Ready ready);
  void hand_back(model::ActionId id, Lane& lane, const Ready& ready);

  Parts parts_;
  std::unordered_map<model::ActionId, std::unique_ptr<Lane>> lanes_;
  std::set<std::pair<Time, model::ActionId>> due_;  ///< lanes with work in the store, soonest first
  std::pair<Time, model::ActionId> lease_from_;     ///< where the last full lease call stopped
  std::uint64_t ready_bytes_ = 0;
  std::uint64_t reserved_bytes_ = 0;
  std::uint64_t attempt_bytes_ = 0;
  int attempting_ = 0;
  int settling_ = 0;
  bool leasing_ = false;
  std::vector<model::WorkHint> hinted_;  ///< while a lease call is under way
  bool draining_ = false;
  bool stopped_ = false;
  std::deque<model::ActionId> held_up_;  ///< lanes that wait for a shared bound, in turn
  std::optional<std::pair<model::ActionId, Ready>> alone_;
  bool alone_runs_ = false;
  EventReader reader_;
  Bell wanted_;
  Bell ended_;
  Outcomes outcomes_;
  Fanout fanout_;
  async::Scope attempts_;
  async::Scope background_;
};

}  // namespace grapnel::pipeline
