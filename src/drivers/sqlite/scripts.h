// Versions of scripts.
#pragma once

#include <vector>

#include "drivers/sqlite/transaction.h"
#include "model/catalog.h"
#include "model/script.h"

namespace grapnel::sqlite {

/// Keeps the version, and of its owner's versions the newest kScriptVersionsMax.
Result<> keep_script(Transaction& tx, const IdBytes& owner, const model::Script& script);
/// Newest first.
Result<std::vector<model::ScriptVersion>> read_scripts(Connection& db, const IdBytes& owner);
/// Of an owner whose definition is removed.
Result<> remove_scripts(Transaction& tx, const IdBytes& owner);

}  // namespace grapnel::sqlite
