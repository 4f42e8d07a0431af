// Definitions as they are found when the store is opened.
#pragma once

#include "base/result.h"
#include "drivers/sqlite/statement.h"
#include "model/registry.h"

namespace grapnel::sqlite {

/// All definitions. Errors: store_*, malformed (a row that no version of ours wrote).
Result<model::SnapshotPtr> load_registry(Connection& db);

}  // namespace grapnel::sqlite
