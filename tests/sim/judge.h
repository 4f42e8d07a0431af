// What must hold, checked as it happens (design: invariants 1 to 7). The judge stands outside: it
// knows what senders were told, what endpoints were asked and answered, and each durable change of
// the store's rows; of the pipeline itself it knows nothing.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "doubles/manual_clock.h"
#include "doubles/memory_store.h"
#include "model/http.h"
#include "pipeline/ingest.h"
#include "sim/coverage.h"
#include "sim/scripted.h"

namespace grapnel::sim {

/// What an outsider could see, in order; kept only when somebody will read it.
class Trace {
 public:
  enum class Keep : std::uint8_t { nothing, everything };
  explicit Trace(Keep keep) : keep_(keep) {}

  template <class... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    if (keep_ == Keep::everything) lines_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  bool keeps() const { return keep_ == Keep::everything; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  Keep keep_;
  std::vector<std::string> lines_;
};

/// What is durable and was promised about it: a value, so that a backup can keep it.
struct Ledger {
  struct FirstReceipt {
    model::EventId event;
    Time received;
  };
  using Key = std::pair<model::SourceId, std::string>;

  std::map<model::EventId, std::shared_ptr<const std::string>> events;  ///< with their bodies
  std::set<model::EventId> taken;                                       ///< by retention
  std::map<Key, FirstReceipt> keys;
  std::map<model::ActionId, model::Seq> newest_event;  ///< of an action's original deliveries
  std::map<std::pair<model::ActionId, std::string>, std::vector<model::Seq>> lanes;
  std::map<model::DeliveryId, Time> not_before;  ///< of what is retrying
  std::set<model::DeliveryId> wished;            ///< somebody was told that it will be cancelled
  std::set<model::JobId> jobs;                   ///< somebody was told that it goes on
};

class Judge final : public doubles::TableWatcher {
 public:
  Judge(const doubles::MemoryStore& store, const doubles::ManualClock& clock,
        model::RetentionPolicy retention, Coverage& coverage, Trace& trace)
      : store_(store), clock_(clock), retention_(retention), coverage_(coverage), trace_(trace) {}

  const std::vector<std::string>& broken() const { return broken_; }
  void break_rule(std::string rule);

  // What senders and people are told.
  /// `key` is of the request; "" when it had none.
  void acknowledged(const pipeline::Receipt& receipt, const Ledger::Key& key);
  void refused(const pipeline::Refusal& refusal);
  /// From now on nothing stands in the way of any event.
  void expect_no_refusals() { refusals_ = Refusals::unexpected; }
  /// An action that is never disabled or deleted: it gets every event of its source.
  void permanent(model::ActionId id) { permanent_.push_back(id); }
  void cancel_answered(model::DeliveryId id, model::DeliveryState state);
  void cancel_asked(model::DeliveryId id) { cancel_asked_.insert(id); }
  void retry_asked(model::DeliveryId id) { retry_asked_.insert(id); }
  void job_started(model::JobId id) { ledger_.jobs.insert(id); }

  // Endpoints. A call is named by the number that call_started gives; nothing: the process is dead
  // already.
  std::optional<int> call_started(const model::HttpCall& call);
  enum class Answer : std::uint8_t { in_time, late };
  void call_answered(int call, int status, std::optional<int> retry_after, Answer when);
  void call_cut_off(int call) { calls_.erase(call); }
  std::size_t calls_in_flight() const { return calls_.size(); }

  // The store, as the pipeline meets it.
  enum class Store : std::uint8_t { works, fails };
  void store_answered(Store how);
  void read_failed() { read_failed_ = clock_.monotonic(); }
  void committed();
  /// Replays that the commit under way made.
  const std::vector<model::ActionId>& new_replays() const { return new_replays_; }

  // TableWatcher
  void appended(const doubles::StoredEvent& event) override;
  void entered(const doubles::StoredDelivery& row,
               std::optional<model::DeliveryState> from) override;
  void erasing(const doubles::StoredEvent& event) override;

  // The process.
  void died();
  void begins() { recovering_ = true; }
  void began();
  void kept(const std::string& backup) { backups_[backup] = ledger_; }
  void restored(const std::string& backup);

  /// What must hold when the store has worked for a while and nobody changed anything.
  void calm();
  /// What must hold when a process was stopped in time over a store that works.
  void stopped();
  /// What must hold when everything was given the time to end.
  void end();
  std::int64_t open_work() const;

 private:
  using Row = doubles::StoredDelivery;
  using State = model::DeliveryState;
  struct Call {
    model::DeliveryId delivery;
    model::ActionId action;
    model::Revision target = 0;
    bool alone = false;
  };
  struct Bound {
    int now = 0;
    int most = 0;  ///< that was in force at the moment of its last change
    Monotonic since;
  };
  enum class Refusals : std::uint8_t { expected, unexpected };
  struct Answered {
    Time at;
    int status = 0;
    std::optional<Time> not_before;
    bool of_current_target = true;
  };

  Time now() const { return store_.clock().now(); }
  bool is_late_start(Monotonic since) const;
  void check_body(const model::HttpCall& call, const Row& row);
  std::string expected_body(const Row& row, const std::string& received) const;
  void check_lane(const Row& row);
  void check_bounds(const Row& row, const model::Action& action);
  void born(const Row& row);
  void born_scripted(const Row& row);
  void leased(const Row& row, State from);
  void left_running(const Row& row);
  void failed(const Row& row);
  void died_running(const Row& row);
  void cancelled(const Row& row, State from);
  void dead_waiting(const Row& row, State from);
  bool is_resolved(const Row& row) const;
  void check_event(const doubles::StoredEvent& event);
  void check_scripted(const doubles::StoredEvent& event);
  /// Of a source with a script.
  bool is_scripted(model::SourceId source) const;
  void note_bound(const model::Action& action);
  void look_at_definitions();

  const doubles::MemoryStore& store_;
  const doubles::ManualClock& clock_;
  model::RetentionPolicy retention_;
  Coverage& coverage_;
  Trace& trace_;
  std::vector<std::string> broken_;

  Ledger ledger_;
  std::map<std::string, Ledger> backups_;
  std::set<model::EventId> acknowledged_;
  std::set<model::EventId> rolled_back_;  ///< a restore went behind them

  std::map<int, Call> calls_;
  int calls_made_ = 0;
  std::map<model::DeliveryId, Answered> answered_;  ///< by the newest attempt of this process
  std::set<model::DeliveryId> confirmed_;
  std::set<model::DeliveryId> cancel_asked_;
  std::set<model::DeliveryId> retry_asked_;
  std::set<std::pair<model::ActionId, model::Revision>> gone_said_;
  std::map<model::ActionId, Bound> bounds_;      ///< of attempts at a time
  std::map<model::ActionId, Monotonic> closed_;  ///< actions that may not run, and since when
  std::optional<Monotonic> store_down_;          ///< since a call of the pipeline failed
  std::optional<Monotonic> read_failed_;
  model::SnapshotPtr definitions_;
  std::optional<model::Seq> newborn_;
  std::vector<model::ActionId> new_replays_;
  bool recovering_ = false;
  Refusals refusals_ = Refusals::expected;
  std::vector<model::ActionId> permanent_;
};

}  // namespace grapnel::sim
