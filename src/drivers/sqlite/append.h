// Storing events: dedupe, fan-out and ordering in the transaction that stores them.
#pragma once

#include "drivers/sqlite/transaction.h"
#include "model/event_log.h"

namespace grapnel::sqlite {

Result<model::Appended> append_one(Transaction& tx, const model::EventDraft& draft);
/// Fan-out of an event that is stored already. Error: not_found.
Result<model::Appended> fan_out_one(Transaction& tx, const model::FanoutDraft& draft);

}  // namespace grapnel::sqlite
