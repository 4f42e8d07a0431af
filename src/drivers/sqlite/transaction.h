// What a command sees while it runs inside the writer's transaction, and what follows from its
// commit.
//
// Memory follows the database: everything a command changes in memory (counts of open work,
// definitions, hints) is kept here as a difference and taken over only when COMMIT has returned; a
// rollback drops it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "drivers/sqlite/statement.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"

namespace grapnel::sqlite {

/// The small integers that stand for definitions in rows (sources.pk, actions.pk); removed ones
/// included.
struct RowKeys {
  std::unordered_map<model::SourceId, std::int64_t> sources;
  std::unordered_map<model::ActionId, std::int64_t> actions;
  std::unordered_map<std::int64_t, model::SourceId> source_ids;
  std::unordered_map<std::int64_t, model::ActionId> action_ids;
};
Result<std::shared_ptr<const RowKeys>> load_row_keys(Connection& db);

/// What the writer knows as of the newest commit. The writer's thread alone.
struct WriterState {
  model::SnapshotPtr registry;
  std::shared_ptr<const RowKeys> keys;
  model::Seq seq = 0;      ///< newest number given
  model::Fence fence = 0;  ///< newest fence given
  std::int64_t epoch = 0;
  /// Longest time between an event's receipt and its commit, to the next power of two. It never
  /// shrinks: after a long hang lists by time seek wider, up to kPageSeeksMax a page.
  Millis commit_lag{0};
  std::unordered_map<std::int64_t, model::OpenWork> open;  ///< by action's row key
  std::unordered_map<std::int64_t, model::HeldWork> held;  ///< by source's row key
};

class Transaction {
 public:
  Transaction(Connection& db, const WriterState& state, Time now)
      : db_(db),
        state_(state),
        now_(now),
        next_(state.seq),
        fence_(state.fence),
        registry_(state.registry),
        keys_(state.keys),
        commit_lag_(state.commit_lag) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Connection& db() { return db_; }
  /// Store time of this transaction.
  Time now() const { return now_; }
  model::Seq next_seq() { return ++next_; }
  model::Seq newest_seq() const { return next_; }
  model::Fence next_fence() { return ++fence_; }

  /// Definitions as this transaction has made them so far.
  const model::RegistrySnapshot& registry() const { return *registry_; }
  const model::SnapshotPtr& registry_ptr() const { return registry_; }
  /// From here on commands see these; watchers do once it is committed.
  void publish(model::SnapshotPtr registry) { registry_ = std::move(registry); }

  const RowKeys& keys() const { return *keys_; }
  /// A definition's row was inserted.
  void add_source_key(model::SourceId id, std::int64_t key);
  void add_action_key(model::ActionId id, std::int64_t key);
  /// Row key of a definition that has a row; 0 when it has none.
  std::int64_t source_key(model::SourceId id) const;
  std::int64_t action_key(model::ActionId id) const;
  /// The definition of a delivery's action; null when it was removed.
  model::ActionPtr action(std::int64_t key) const;

  /// A delivery of the action entered (+1) or left (-1) an open state. `bytes` is its body's size.
  void count_open(std::int64_t action, model::DeliveryState state, int sign, std::int64_t bytes);
  /// A source's held events changed by so many. `bytes` has the sign of `count`.
  void count_held(std::int64_t source, std::int64_t count, std::int64_t bytes);
  /// Held events of the source, this transaction's included.
  model::HeldWork held(std::int64_t source) const;

  /// Deliveries of the action became leasable at `due`.
  void hint(std::int64_t action, Time due);
  /// Ordering keys of the action no longer block on dead deliveries: those that wait go on, in
  /// steps.
  void release_order(std::int64_t action) { releases_.push_back(action); }
  /// An event received then is stored now.
  void note_received(Time received);
  /// A body file that no row names any more: removed after the commit.
  void unlink_after_commit(std::string file) { unlinked_.push_back(std::move(file)); }

 private:
  friend class Writer;
  RowKeys& own_keys();

  Connection& db_;
  const WriterState& state_;
  Time now_;
  model::Seq next_;
  model::Fence fence_;
  model::SnapshotPtr registry_;
  std::shared_ptr<const RowKeys> keys_;
  std::shared_ptr<RowKeys> own_keys_;  // keys_ once this transaction has added to them
  Millis commit_lag_;
  std::unordered_map<std::int64_t, model::OpenWork> open_;
  std::unordered_map<std::int64_t, model::HeldWork> held_;
  std::unordered_map<std::int64_t, Time> hints_;
  std::vector<std::int64_t> releases_;
  std::vector<std::string> unlinked_;
};

}  // namespace grapnel::sqlite
