// Leasing what is due.
#pragma once

#include "drivers/sqlite/transaction.h"
#include "model/delivery_book.h"

namespace grapnel::sqlite {

/// Adds the leases of one wish, oldest due first, and when the action's next delivery is due.
Result<> lease_one(Transaction& tx, const model::LeaseWish& wish, model::LeaseBatch& batch);

}  // namespace grapnel::sqlite
