// Definitions in the store, and as the immutable snapshot that everybody reads. Rows are written
// only inside a transaction and the next snapshot is made from the former one, so that memory and
// rows change together.
//
// - A revision is the number of a change: one counter for all definitions (meta "revision").
// - A tombstone is a removed definition's row with definition NULL; history keeps its ids by it.
//
// What is kept of former states: an action's history (action_revisions), without its secrets,
// written when something that an attempt's request depends on has changed; health alone changes the
// revision only.
#pragma once

#include <functional>
#include <vector>

#include "drivers/sqlite/registry_rows.h"  // IWYU pragma: export
#include "drivers/sqlite/transaction.h"
#include "drivers/sqlite/writer.h"
#include "model/registry.h"

namespace grapnel::sqlite {

/// Writes the changes' rows and publishes the next snapshot in the transaction. All or nothing; an
/// error leaves rows behind that the transaction's rollback takes back. Health that differs from
/// the stored one is taken over with the time of the transaction; a new target sets it to ok; both
/// a new target and a step from gone to ok raise target_revision. A source that is deleting takes
/// its actions with it. Errors: conflict, too_many, not_found (DeleteKey), malformed (no slug, no
/// target), store_*.
Result<> apply_changes(Transaction& tx, const std::vector<model::RegistryChange>& changes);

/// Actions without open work and sources without actions become tombstones. Those that are gone,
/// and sources that still have actions, are passed over.
Result<> remove_definitions(Transaction& tx, const std::vector<model::ActionId>& actions,
                            const std::vector<model::SourceId>& sources);

class Registry final : public model::Registry {
 public:
  /// The writer outlives it. Loop's thread.
  explicit Registry(Writer& writer);

  model::SnapshotPtr snapshot() const override { return writer_.registry(); }
  void watch(std::function<void(model::SnapshotPtr)> watcher) override;
  async::Task<Result<model::SnapshotPtr>> commit(
      std::vector<model::RegistryChange> changes) override;
  async::Task<Result<>> touch_keys(std::vector<std::pair<model::KeyId, Time>> uses) override;

 private:
  Writer& writer_;
  std::vector<std::function<void(model::SnapshotPtr)>> watchers_;
};

}  // namespace grapnel::sqlite
