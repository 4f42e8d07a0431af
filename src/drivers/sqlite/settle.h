// How a lease ends (the table of docs/SEMANTICS.md), and what it says about the action's health.
#pragma once

#include "drivers/sqlite/transaction.h"
#include "drivers/sqlite/transitions.h"
#include "model/delivery_book.h"

namespace grapnel::sqlite {

Result<model::Settled> settle_one(Transaction& tx, const model::Settlement& settlement);

/// Writes the attempt's row as the delivery's next one and counts it in `row`.
Result<> record_attempt(Transaction& tx, DeliveryRow& row, const model::Attempt& attempt);

/// running -> an open state, unless the delivery is wished cancelled or its action is gone or
/// removed.
Result<> give_back(Transaction& tx, DeliveryRow& row, model::DeliveryState state, Time due);

/// The same for a lease whose outcome nobody knows. After kUnknownStreakMax in a row it ran alone,
/// and one more counts as a failed try.
Result<> give_back_unknown(Transaction& tx, DeliveryRow& row);

}  // namespace grapnel::sqlite
