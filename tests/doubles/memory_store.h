// The store of the simulation and of tests: every port of the store in memory, on one loop,
// deterministic.
//
// A call waits in a queue; a commit, in a later turn of the loop, takes everything that waits and
// makes all of it durable or none. What a commit shall come to is decided by hooks:
//
//   call --> queue --commit--> durable --> answered
//              |  \--fails--> nothing changed, answered store_*
//              \--crash--> nothing changed (or durable), answered store_unavailable;
//                          nobody is left to hear it
//
// Nothing that is not durable is ever visible, so a crash loses exactly what waited.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/one_shot.h"
#include "async/task.h"
#include "base/clock.h"
#include "doubles/memory_tables.h"
#include "model/errors.h"
#include "model/store_ports.h"

namespace grapnel::doubles {

/// What one commit comes to.
enum class Fate : std::uint8_t {
  commit,
  fail_unavailable,
  fail_full,
  crash_before,  ///< the process dies and nothing of it is durable
  crash_after,   ///< the process dies when it is durable and before anybody is told
};

struct CommitInfo {
  std::int64_t number = 0;              ///< from 1, over all restarts
  std::vector<std::string_view> calls;  ///< names of the ports' functions in it: "append", "settle"
};

/// Used on the loop's thread. Outlives the coroutines that call it; destroyed before the loop or
/// after it has run out.
class MemoryStore final : public model::EventLog,
                          public model::DeliveryBook,
                          public model::Registry,
                          public model::Catalog,
                          public model::Upkeep {
 public:
  MemoryStore(async::Loop& loop, const Clock& clock);

  /// The clock that everything in this store runs on; the same object over restarts.
  const StoreClock& clock() const { return *clock_; }
  model::StorePorts ports() {
    return {.clock = *clock_,
            .registry = *this,
            .log = *this,
            .book = *this,
            .catalog = *this,
            .upkeep = *this};
  }
  const MemoryTables& tables() const { return tables_; }
  /// For what only damage or a half-done retention brings about.
  void remove_body(model::Seq event) { tables_.remove_body(event); }
  /// Before anything is stored: a backup has the watcher and the flaw of its time.
  void watch_tables(TableWatcher* watcher) { tables_.watch(watcher); }
  void plant(Flaw flaw) { tables_.plant(flaw); }

  // Faults.
  /// Asked before each commit. It may not call the store.
  void decide_commits(std::function<Fate(const CommitInfo&)> hook) { decide_ = std::move(hook); }
  /// Called after each commit that is durable, before anybody is told.
  void on_durable(std::function<void(const CommitInfo&)> hook) { durable_hook_ = std::move(hook); }
  /// Called when the store crashed by itself (a Fate), still inside the commit's turn.
  void on_crash(std::function<void()> hook) { crashed_hook_ = std::move(hook); }
  enum class Commits : std::uint8_t {
    each_turn,  ///< a commit follows the first call that waits, one turn later
    by_hand,    ///< commits happen in commit_waiting() alone
  };
  void set_commits(Commits when);
  /// Commits what waits now; false when nothing does. Answers reach their callers in later turns.
  bool commit_waiting();
  std::size_t waiting() const { return queue_.size(); }
  /// From now on every commit fails with that error (store_unavailable, store_full,
  /// store_read_only).
  void set_outage(std::optional<model::errc> error) { outage_ = error; }
  /// From now on calls of that name ("append") are not answered before crash(), as on a disk that
  /// hangs; the others go on.
  void stall(std::string call) { stalled_names_.insert(std::move(call)); }
  std::size_t stalled() const { return stalled_.size(); }
  /// The process dies: what waits is lost, watchers are forgotten, every call fails until reopen().
  void crash();
  /// A new process opens the store: recovers leases. Whatever used the old one has ended by now.
  void reopen();
  void crash_and_reopen();
  bool is_crashed() const { return crashed_; }
  /// Puts the state of an earlier backup() in place; a new generation begins.
  bool restore(const std::string& folder);
  /// As backup(), at once and beside all commits; replaces what had that name.
  void keep(const std::string& folder) { backups_.insert_or_assign(folder, tables_); }

  // EventLog
  async::Task<Result<std::vector<model::Appended>>> append(
      std::vector<model::EventDraft> drafts) override;
  async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string> body) override;
  void drop_body(const std::string& name) override { tables_.drop_body(name); }
  async::Task<Result<std::vector<model::EventPtr>>> held(model::SourceId source,
                                                         int limit) override;
  async::Task<Result<std::vector<model::Appended>>> fan_out(
      std::vector<model::FanoutDraft> drafts) override;
  async::Task<Result<std::vector<Result<model::EventPtr>>>> read(
      std::vector<model::EventRun> events) override;
  model::HeldWork held_work(model::SourceId source) const override;

  // DeliveryBook
  async::Task<Result<model::LeaseBatch>> lease(std::vector<model::LeaseWish> wishes) override;
  async::Task<Result<std::vector<model::Settled>>> settle(
      std::vector<model::Settlement> settlements) override;
  async::Task<Result<std::vector<Result<model::DeliveryState>>>> cancel(
      std::vector<model::DeliveryId> ids) override;
  async::Task<Result<model::Delivery>> retry_now(model::DeliveryId id) override;
  async::Task<Result<model::Delivery>> skip(model::DeliveryId id) override;
  async::Task<Result<std::vector<Result<model::Delivery>>>> replay(
      std::vector<model::ReplayWish> wishes) override;
  async::Task<Result<model::ReplayJob>> start_job(model::ReplayJob job) override;
  async::Task<Result<model::ReplayJob>> step_job(model::JobId id,
                                                 std::vector<model::DeliveryId> ids) override;
  async::Task<Result<model::ReplayJob>> cancel_job(model::JobId id) override;
  async::Task<Result<std::vector<model::ReplayJob>>> jobs() override;
  model::OpenWork open_work(model::ActionId action) const override;
  void watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) override;

  // Registry
  model::SnapshotPtr snapshot() const override { return tables_.snapshot(); }
  void watch(std::function<void(model::SnapshotPtr)> watcher) override;
  async::Task<Result<model::SnapshotPtr>> commit(
      std::vector<model::RegistryChange> changes) override;
  async::Task<Result<>> touch_keys(std::vector<std::pair<model::KeyId, Time>> uses) override;

  // Catalog
  async::Task<Result<model::Page<model::Event>>> events(model::EventQuery query) override;
  async::Task<Result<std::optional<model::Event>>> event(model::EventId id, WithBody body) override;
  async::Task<Result<model::Page<model::Delivery>>> deliveries(model::DeliveryQuery query) override;
  async::Task<Result<std::optional<model::Delivery>>> delivery(model::DeliveryId id) override;
  async::Task<Result<std::vector<model::Attempt>>> attempts(model::Seq delivery) override;
  async::Task<Result<model::Page<model::Delivery>>> dead_letters(model::DeadQuery query) override;
  async::Task<Result<std::int64_t>> count_dead(model::SourceScope scope,
                                               model::DeadFilter filter) override;
  async::Task<Result<std::optional<model::Action>>> action_at(model::ActionId id,
                                                              model::Revision revision) override;
  async::Task<Result<std::vector<model::ScriptVersion>>> scripts(IdBytes owner) override;
  async::Task<Result<std::vector<model::Event>>> splits(model::EventId parent) override;

  // Upkeep
  async::Task<Result<model::StepResult>> bury(model::ActionId action) override;
  async::Task<Result<model::StepResult>> finish_deletions() override;
  async::Task<Result<model::Swept>> sweep(model::RetentionPolicy policy) override;
  async::Task<Result<model::StepResult>> drop_old_keys() override;
  async::Task<Result<model::StepResult>> record_held(model::SourceId source) override;
  /// Kept in memory under that name. Error: conflict when it exists.
  async::Task<Result<>> backup(std::string folder) override;
  model::StoreHealth health() const override;

 private:
  /// One call that waits for its commit; it lives in the queue, since its caller may be torn down.
  struct Call {
    std::string_view name;
    std::function<void()> apply;
    std::function<void()> answer;
    std::function<void(model::errc)> refuse;
  };

  /// `work` is a function of MemoryTables& that gives Result<T>; it runs inside the commit.
  template <class T, class Work>
  async::Task<Result<T>> change(std::string_view name, Work work);
  /// `work` reads the newest committed state in a later turn.
  template <class T, class Work>
  async::Task<Result<T>> look(Work work);

  void enqueue(Call call);
  void post_commit();
  void refuse_all(std::deque<Call> calls, model::errc error);
  void tell_watchers();

  async::Executor executor_;
  const Clock& system_clock_;
  std::optional<StoreClock> clock_;
  MemoryTables tables_;
  std::deque<Call> queue_;
  std::set<std::string, std::less<>> stalled_names_;
  std::deque<Call> stalled_;
  std::function<Fate(const CommitInfo&)> decide_;
  std::function<void(const CommitInfo&)> durable_hook_;
  std::function<void()> crashed_hook_;
  Commits commits_ = Commits::each_turn;
  std::optional<model::errc> outage_;
  bool crashed_ = false;
  bool commit_posted_ = false;
  std::int64_t commit_number_ = 0;
  std::int64_t newest_generation_ = 0;  // over all restores
  std::function<void(const std::vector<model::WorkHint>&)> work_watcher_;
  std::vector<std::function<void(model::SnapshotPtr)>> watchers_;
  std::map<std::string, MemoryTables> backups_;
  std::shared_ptr<int> life_ =
      std::make_shared<int>();  // posted turns look whether it is still there
};

}  // namespace grapnel::doubles
