// A copy of the store that is made while everything goes on, and the way back.
//
//   DIR.partial  while it is made; renamed to DIR when all of it is synced and checked
//   DIR/grapnel.db     the database as of one commit
//   DIR/bodies/        the large bodies that it names, hard links where the file system allows
//   DIR/manifest.json  format, schema, generation, newest number, size and SHA-256 of every file
//
// The database is copied some pages at a time on the writer's connection between two commits: pages
// that a later commit changes are copied again by SQLite itself, so the copy never starts anew,
// however busy the store is.
//
// A restore starts a new generation. The commit sequence, revisions and fencing numbers (by the
// epoch) leap ahead, so that nothing given out after the backup was made is given out again, and
// cursors of the former generation are refused. What was delivered after the backup is delivered
// once more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/writer.h"

namespace grapnel::sqlite {

/// Whether a backup may be put there: an absolute path, not taken, not the store's own files.
/// Errors: malformed, conflict.
Result<> check_backup_folder(const std::string& folder, const std::string& data_dir);

class PageCopy;

/// Makes and verifies it; nothing is left under either name when it fails. One at a time for each
/// writer. `unended` is the owner's from one call to the next: what a failing store kept from being
/// put away. Loop's thread. Errors: store_*, conflict (the folder exists), body_gone, body_damaged.
async::Task<Result<>> make_backup(Writer& writer, Readers& readers, Bodies& bodies,
                                  std::shared_ptr<PageCopy>& unended, std::string folder);

struct BackupSummary {
  int schema = 0;
  std::int64_t generation = 0;
  std::int64_t seq = 0;
  Time made;  ///< store time of its newest commit
  std::uint64_t bytes = 0;
  std::size_t bodies = 0;
};

/// Reads all of the backup against the sizes and checksums of its manifest (the database's
/// integrity and each body's checksum were proved before that was written), copies it and starts a
/// new generation; the backup is not written to. `data_dir` holds no store (other files in it stay)
/// and no process uses it. Until it has ended well there is no database in `data_dir`; a run that
/// was cut off is cleaned up by the next. Blocks. Errors: not_a_store, newer_schema, store_*,
/// locked, conflict (there is a store already), body_gone, body_damaged.
Result<BackupSummary> restore_backup(const std::string& folder, const std::string& data_dir);

}  // namespace grapnel::sqlite
