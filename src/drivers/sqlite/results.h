// What transforms made of events: rows beside the events, one a run that differs.
#pragma once

#include <string>
#include <vector>

#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/transaction.h"
#include "model/event_log.h"

namespace grapnel::sqlite {

/// Nothing is stored for a result that changes nothing.
Result<> insert_result(Transaction& tx, model::Seq event, int run,
                       const model::Transformed& result);
/// `event`, which has been read with its body, becomes what the run sends. Errors: body_damaged,
/// store_*.
Result<> apply_result(Connection& db, const Bodies& bodies, int run, model::Event& event);
/// The size of the body that the run sends; nothing: the event's own.
Result<std::optional<std::int64_t>> result_size(Connection& db, model::Seq event, int run);

/// `child` was made of `parent`.
Result<> insert_split(Transaction& tx, model::Seq child, model::EventId parent);
/// Events that were made of `parent`, by seq.
Result<std::vector<model::Event>> read_splits(Connection& db, model::EventId parent);

/// Removes what hangs on an event that is being removed; its files go after the commit.
Result<> remove_results(Transaction& tx, model::Seq event);

}  // namespace grapnel::sqlite
