// Ordering keys: at most one delivery of a key is open and does not wait. The others are pending
// with `waits` set and due never; when the one that runs ends, the first of them (by stand_seq,
// then seq) goes on.
//
// With on_dead: block a dead delivery keeps its key (its order_key stays set) and holds back
// everything that stands behind it, until a replay down its chain is delivered or a person skips
// it. Replays stand where their original stands, so they are never held back by it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "drivers/sqlite/transaction.h"
#include "drivers/sqlite/writer.h"
#include "model/action.h"

namespace grapnel::sqlite {

/// Whether a new delivery of this key that stands at `stand` must wait.
Result<bool> must_wait(Transaction& tx, std::int64_t order_key, model::Seq stand,
                       model::OnDead on_dead);
/// Lets the first waiting delivery of the key go on, if nothing keeps it.
Result<> free_next(Transaction& tx, std::int64_t order_key, std::int64_t action);
/// The dead deliveries at this place of the key no longer hold anything back.
Result<> unblock(Connection& db, std::int64_t order_key, model::Seq stand);

/// Actions that went from block to continue in this transaction: their waiting deliveries are let
/// go in steps after it. Kept in the store until done, so that a crash does not forget them.
Result<> note_releases(Transaction& tx, const model::RegistrySnapshot& before);
Result<std::vector<std::int64_t>> pending_releases(Connection& db);

/// One step over an action's waiting deliveries.
class OrderRelease final : public Command {
 public:
  /// `next` holds where the following step begins after a commit; nothing when this was the last.
  OrderRelease(const OrderPlace& from, std::optional<OrderPlace>& next)
      : from_(from), next_(next) {}
  Result<> run(Transaction& tx) override;
  void finish(const Result<>&) override {}

 private:
  const OrderPlace from_;
  std::optional<OrderPlace>& next_;
};

}  // namespace grapnel::sqlite
