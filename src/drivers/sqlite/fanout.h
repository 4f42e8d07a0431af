// Fan-out of events that are stored already: released, replayed, or after their transform.
#pragma once

#include "drivers/sqlite/transaction.h"
#include "drivers/sqlite/transitions.h"
#include "model/delivery_book.h"
#include "model/event_log.h"

namespace grapnel::sqlite {

/// Error: not_found.
Result<model::Appended> fan_out_one(Transaction& tx, const model::FanoutDraft& draft);

/// Whether the result of a transform can be stored as it was planned.
model::Admission check_result(Transaction& tx, const DeliveryRow& transform,
                              const model::FanoutResult& result);
/// What a transform that is delivered brings about. Answers what was born: the event's own
/// deliveries, or its splits.
Result<std::vector<model::Appended>> end_transform(Transaction& tx, const DeliveryRow& transform,
                                                   const model::FanoutResult& result);

/// A transform begins anew as the event's next run, and answers its number. Error: not_terminal,
/// another run is under way.
Result<int> begin_run(Transaction& tx, model::Seq event);

}  // namespace grapnel::sqlite
