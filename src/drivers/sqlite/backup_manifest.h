// What a backup says about itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/sqlite/copy_files.h"
#include "drivers/sqlite/statement.h"

namespace grapnel::sqlite {

struct BackupManifest {
  int schema = 0;
  std::int64_t generation = 0;
  std::int64_t seq = 0;
  Time made;                             ///< store time of the newest commit in it
  std::map<std::string, FileSum> files;  ///< "grapnel.db" and "bodies/<name>"
};

std::string to_text(const BackupManifest& manifest);
/// Errors: not_a_store (not ours, or a file name that leads elsewhere), newer_schema (a later
/// format).
Result<BackupManifest> manifest_from(std::string_view text);
/// All but the files, from the database itself. Errors: store_*, not_a_store (no database of ours).
Result<> read_state(Connection& db, BackupManifest& out);

}  // namespace grapnel::sqlite
