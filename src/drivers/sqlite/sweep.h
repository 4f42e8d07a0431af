// Retention: what is finished for long enough goes, in the order of the sequence.
#pragma once

#include <optional>

#include "drivers/sqlite/transaction.h"
#include "model/upkeep.h"

namespace grapnel::sqlite {

struct SweepStep {
  std::int64_t events = 0;         ///< removed
  std::optional<model::Seq> next;  ///< where the pass goes on; nothing: it is through
};

/// One step of a pass from `from` on. An event stays while its fan-out or a delivery of it is open,
/// while a dead one holds its ordering key back, while a running replay job still covers one of its
/// dead letters, and until its period has passed since the last of it ended.
Result<SweepStep> sweep_step(Transaction& tx, const model::RetentionPolicy& policy,
                             model::Seq from);

/// After a pass: ended replay jobs older than the period, and the history of removed actions that
/// no delivery names any more.
Result<> sweep_definitions(Transaction& tx, const model::RetentionPolicy& policy);

}  // namespace grapnel::sqlite
