// Storing events: dedupe, fan-out and ordering in the transaction that stores them.
#pragma once

#include "drivers/sqlite/births.h"
#include "drivers/sqlite/transaction.h"
#include "model/event_log.h"
#include "model/registry.h"

namespace grapnel::sqlite {

Result<model::Appended> append_one(Transaction& tx, const model::EventDraft& draft);

/// Why a plan of this source cannot be followed; accepted when it can.
model::Admission check_plan(const model::SourcePtr& source, const model::FanoutPlan& plan);
/// The state that the plan puts its fan-out in: a transform may be dead at birth.
model::FanoutState state_of(const model::FanoutPlan& plan);
/// The row of an event alone.
Result<> insert_event(Transaction& tx, const model::EventDraft& draft, const EventPart& part,
                      model::FanoutState state);
/// Deliveries of a plan, which is of the newest definitions, so that its actions exist. A transform
/// that is done again stands where `original` stood.
Result<> bear_all(Transaction& tx, const EventPart& event, const model::FanoutPlan& plan,
                  const model::SourceEntry& source, const std::optional<Original>& original,
                  model::Appended& appended);

}  // namespace grapnel::sqlite
