// The schema of the store and its migrations: numbered, forward, each in one transaction.
//
// `meta` holds one value per key:
//
// - clock: newest store time of any commit, in milliseconds; time never goes back over a restart
// - seq: newest number given of the commit sequence (events, deliveries and ended_seq share it)
// - epoch: counts process starts
// - generation: counts restores; a restore also leaps `seq`, and cursors of another generation are
//   refused
// - revision: newest revision of any definition
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "drivers/sqlite/statement.h"

namespace grapnel::sqlite {

struct Migration {
  int version = 0;  ///< what PRAGMA user_version says afterwards
  std::string_view sql;
};

/// All migrations, ascending from version 1.
std::span<const Migration> migrations();
int newest_schema();

/// Takes the store to the newest of `steps`; an empty file becomes a new store. Errors:
/// newer_schema, not_a_store (tables of something else), store_*.
Result<> migrate(Connection& db, std::span<const Migration> steps);

/// Key of meta: WriterState::commit_lag in milliseconds.
inline constexpr std::string_view kCommitLag = "commit_lag_ms";
Result<std::int64_t> read_meta(Connection& db, std::string_view key);  ///< 0 when it is not there
Result<> write_meta(Connection& db, std::string_view key, std::int64_t value);

}  // namespace grapnel::sqlite
