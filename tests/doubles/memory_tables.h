// What the memory store holds, and the rules by which it changes: plain synchronous functions, one
// call one transaction, all or nothing. Crashes, delays and failures of commits are the business of
// memory_store.h.
//
// A value: a copy is a backup. A lane is an ordered key of an action: its deliveries that are open,
// or dead and not resolved, in order. One of the open ones at most does not wait: it holds the lane
// until it ends.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "doubles/flaw.h"
#include "doubles/table_watcher.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"

namespace grapnel::doubles {

struct StoredEvent {
  model::Event event;                       ///< without its body
  std::shared_ptr<const std::string> body;  ///< null: removed
  std::vector<model::Seq> deliveries;
  std::map<int, model::Transformed> results;  ///< by run: what it sends instead
  Time fanout_ended;
};

struct StoredDelivery {
  model::Delivery delivery;
  std::optional<std::string> key;                  ///< of its event
  std::int64_t bytes = 0;                          ///< of its event's body
  model::Fence fence = 0;                          ///< of its newest lease
  model::EndReason wish = model::EndReason::none;  ///< why a running one is to be cancelled
  model::Seq original = 0;                         ///< 0: not a replay
  model::Seq stand = 0;  ///< place in its key: its own seq, a replay its original's
  std::vector<model::Seq> replays;
  std::vector<model::Attempt> attempts;
};

class MemoryTables {
 public:
  /// What a transaction changed that watchers must be told.
  struct Effects {
    std::map<model::ActionId, Time> work;  ///< leasable from then on
    bool definitions = false;
  };

  MemoryTables();

  /// Starts a transaction at that time.
  void begin(Time now);
  Effects take_effects() { return std::exchange(effects_, {}); }
  /// A new process: a new epoch, each running delivery is one unknown, bodies without a draft are
  /// swept.
  void recover(Time now);
  /// After a restore: cursors of before are refused, seq and fences leap. `number` is of no
  /// generation before, that of another restore of the same backup included.
  void start_generation(std::int64_t number);
  std::int64_t generation() const { return generation_; }
  /// Newest time of any transaction.
  Time newest() const { return now_; }
  std::int64_t epoch() const { return epoch_; }

  // EventLog
  std::vector<model::Appended> append(std::vector<model::EventDraft> drafts);
  std::string write_body(std::shared_ptr<const std::string> body);
  void drop_body(const std::string& name) { body_files_.erase(name); }
  std::vector<model::EventPtr> held(model::SourceId source, int limit) const;
  Result<std::vector<model::Appended>> fan_out(const std::vector<model::FanoutDraft>& drafts);
  std::vector<Result<model::EventPtr>> read(const std::vector<model::EventRun>& events) const;
  model::HeldWork held_work(model::SourceId source) const;
  /// For tests of what only damage or a half-done retention brings about.
  void remove_body(model::Seq event) { events_.at(event).body = nullptr; }

  // DeliveryBook
  model::LeaseBatch lease(const std::vector<model::LeaseWish>& wishes);
  std::vector<model::Settled> settle(const std::vector<model::Settlement>& settlements);
  std::vector<Result<model::DeliveryState>> cancel(const std::vector<model::DeliveryId>& ids);
  Result<model::Delivery> retry_now(model::DeliveryId id);
  Result<model::Delivery> skip(model::DeliveryId id);
  std::vector<Result<model::Delivery>> replay(const std::vector<model::ReplayWish>& wishes);
  Result<model::ReplayJob> start_job(model::ReplayJob job);
  Result<model::ReplayJob> step_job(model::JobId id, const std::vector<model::DeliveryId>& ids);
  Result<model::ReplayJob> cancel_job(model::JobId id);
  std::vector<model::ReplayJob> jobs() const;
  model::OpenWork open_work(model::ActionId action) const;
  /// Everything that waits, as hints.
  std::vector<model::WorkHint> waiting_work() const;

  // Registry
  model::SnapshotPtr snapshot() const { return snapshot_; }
  Result<model::SnapshotPtr> change(const std::vector<model::RegistryChange>& changes);
  void touch_keys(const std::vector<std::pair<model::KeyId, Time>>& uses);

  // Catalog
  Result<model::Page<model::Event>> list(const model::EventQuery& query) const;
  Result<std::optional<model::Event>> event(model::EventId id, model::Catalog::WithBody body) const;
  Result<model::Page<model::Delivery>> list(const model::DeliveryQuery& query) const;
  std::optional<model::Delivery> delivery(model::DeliveryId id) const;
  std::vector<model::Attempt> attempts(model::Seq delivery) const;
  std::vector<model::ScriptVersion> scripts(const IdBytes& owner) const;
  std::vector<model::Event> splits(model::EventId parent) const;
  Result<model::Page<model::Delivery>> list(const model::DeadQuery& query) const;
  std::int64_t count_dead(const model::SourceScope& scope, const model::DeadFilter& filter) const;
  std::optional<model::Action> action_at(model::ActionId id, model::Revision revision) const;

  // Upkeep
  model::StepResult bury(model::ActionId action);
  model::StepResult finish_deletions();
  model::Swept sweep(const model::RetentionPolicy& policy);
  model::StepResult drop_old_keys();
  model::StepResult record_held(model::SourceId source);

  // For the simulation.
  /// Outlives these tables and their copies.
  void watch(TableWatcher* watcher) { watcher_ = watcher; }
  void plant(Flaw flaw) { flaw_ = flaw; }
  /// Null when there is none.
  const StoredDelivery* find(model::DeliveryId id) const;
  const std::map<model::Seq, StoredEvent>& events() const { return events_; }
  const std::map<model::Seq, StoredDelivery>& deliveries() const { return deliveries_; }
  std::size_t body_files() const { return body_files_.size(); }

 private:
  struct Lane {
    std::set<std::pair<model::Seq, model::Seq>> members;  ///< (stand, seq)
    model::Seq holder = 0;                                ///< open and does not wait; 0: none
  };
  using LaneKey = std::pair<model::ActionId, std::string>;
  using IdempotencyKey = std::tuple<model::SourceId, std::string, std::string>;
  struct FirstReceipt {
    model::EventId event;
    model::Seq seq = 0;
    model::Sha256 sha256{};
    Time received;
  };

  model::Appended append_one(model::EventDraft& draft);
  std::shared_ptr<const std::string> take_body(model::EventDraft& draft);
  std::optional<model::Appended> find_duplicate(const model::Event& event);
  model::Appended fan_out_one(const model::FanoutDraft& draft);
  std::vector<model::BornDelivery> make_deliveries(StoredEvent& event,
                                                   const model::FanoutPlan& plan,
                                                   StoredDelivery* replaced = nullptr);
  /// `replaced`: the dead transform of the former run; null: there is none.
  void begin_fanout(StoredEvent& row, const model::FanoutPlan& plan, model::Appended& out,
                    StoredDelivery* replaced);
  void end_fanout(StoredEvent& event, model::FanoutState state);
  /// A transform that is delivered: the event's own deliveries, or its splits, come into being.
  std::vector<model::Appended> end_transform(const StoredDelivery& row,
                                             const model::FanoutResult& result);
  model::Appended add_split(const model::EventDraft& draft, model::EventId parent);
  /// The dead transform of the event, if one waits to be replaced.
  StoredDelivery* dead_transform(const StoredEvent& event);
  void keep_result(StoredEvent& event, int run, model::Transformed result);

  StoredDelivery& add_delivery(StoredEvent& event, model::DeliveryId id, model::ActionId action,
                               int run);
  StoredDelivery* find(model::DeliveryId id);
  model::Settled settle_one(const model::Settlement& settlement);
  void note_attempt(StoredDelivery& row, model::Attempt attempt);
  /// The lease of a process that died: one unknown.
  void note_crash(StoredDelivery& row);
  void note_unknown(StoredDelivery& row);
  /// To pending or retrying, or to where a cancel wish or health `gone` sends it instead.
  void make_wait(StoredDelivery& row, model::DeliveryState state, Time due);
  void start_lease(StoredDelivery& row);
  void end(StoredDelivery& row, model::DeliveryState state, model::EndReason reason);
  /// The one place where a state changes: counters and indexes follow.
  void enter(StoredDelivery& row, model::DeliveryState state);
  void count(const StoredDelivery& row, int by);
  void report_health(model::ActionId action, const model::HealthReport& report);

  bool blocks(const StoredDelivery& row) const;
  Lane* find_lane(const StoredDelivery& row);
  bool in_lane(const StoredDelivery& row) const;
  /// Whether a dead delivery that blocks stands before it.
  bool is_blocked(const Lane& lane, const StoredDelivery& row) const;
  void join_lane(StoredDelivery& row);
  void leave_lane(const StoredDelivery& row);
  void tell(const StoredDelivery& row, std::optional<model::DeliveryState> from) const;
  void recover_flawed();
  /// The dead deliveries at that place no longer hold anything back.
  void unblock(Lane& lane, model::Seq stand);
  /// Lets the first that waits hold the lane, if nothing keeps it.
  void free_next(Lane& lane);
  void free_lanes(model::ActionId action);
  void hint(const StoredDelivery& row);
  void hint_action(model::ActionId action);
  bool is_gone(model::ActionId action) const;
  bool is_deleting(model::ActionId action) const;

  Result<StoredDelivery*> replay_one(const model::ReplayWish& wish);
  bool matches(const model::DeadFilter& filter, const StoredDelivery& row) const;
  bool covered_by_job(const StoredDelivery& row) const;

  Result<> put_source(model::RegistrySnapshot& next, const model::PutSource& put);
  Result<> put_action(model::RegistrySnapshot& next, const model::PutAction& put);
  Result<> put_key(model::RegistrySnapshot& next, const model::PutKey& put);
  Result<> delete_key(model::RegistrySnapshot& next, const model::DeleteKey& gone);
  /// The transform of a source is the registry's own to keep; scripts are kept by version.
  void keep_transform(model::RegistrySnapshot& next, model::SourceId source);
  void keep_script(const IdBytes& owner, const model::ScriptPtr& script);
  void publish(std::shared_ptr<model::RegistrySnapshot> next);
  Result<> check_cursor(const std::optional<model::Cursor>& cursor, char list) const;

  bool cancel_open_of_deleting(int& budget);
  void remove_deleted_definitions();
  bool has_open_work(const StoredEvent& event) const;
  bool is_expired(const StoredEvent& event, const model::RetentionPolicy& policy) const;
  void erase(model::Seq event);
  model::Seq next_seq() { return ++seq_; }

  Time now_;
  std::int64_t epoch_ = 0;
  std::int64_t generation_ = 1;
  model::Seq seq_ = 0;
  model::Fence fence_ = 0;
  model::Seq swept_to_ = 0;
  Effects effects_;
  TableWatcher* watcher_ = nullptr;
  Flaw flaw_ = Flaw::none;

  std::map<model::Seq, StoredEvent> events_;
  std::unordered_map<model::EventId, model::Seq> event_ids_;
  std::map<IdBytes, std::map<int, model::ScriptVersion>> scripts_;
  std::map<IdempotencyKey, FirstReceipt> keys_;
  std::map<model::SourceId, std::set<model::Seq>> held_;
  std::map<std::string, std::shared_ptr<const std::string>>
      body_files_;  // written, not yet of a row

  std::map<model::Seq, StoredDelivery> deliveries_;
  std::unordered_map<model::DeliveryId, model::Seq> delivery_ids_;
  std::map<model::ActionId, model::OpenWork> open_work_;
  std::map<model::ActionId, std::set<std::pair<Time, model::Seq>>>
      waiting_;  // pending, retrying by due
  std::set<model::Seq> running_;
  std::map<LaneKey, Lane> lanes_;
  std::map<model::Seq, model::Seq> dead_;  // ended_seq -> delivery: those that have no replay

  model::SnapshotPtr snapshot_;
  std::map<std::pair<model::ActionId, model::Revision>, model::Action> history_;
  std::map<model::JobId, model::ReplayJob> jobs_;
};

}  // namespace grapnel::doubles
