// A VFS over another one (the system's in production) that gathers the writes of the write-ahead
// log and knows how much of it is synced.
//
// After a failed fsync the kernel may count the lost pages as clean, so a second fsync proves
// nothing and what reads back may not be on the disk. The only truth left is the offset that the
// last successful sync covered; the log is cut there and recovery runs on what remains.
//
//   log, one generation (from a write of its header at offset 0 to the next):
//   0 ........ synced end ........ written end
//
// Writes of the log that follow each other are gathered and written at the sync (or when there are
// many). Nobody reads them earlier: other connections look at frames of commits alone, and every
// commit syncs before it is told (PRAGMA synchronous = FULL).
//
// A failed sync of the database file (in a checkpoint) needs the same answer: the log still holds
// every page of it, and recovery forgets what was checkpointed, so the pages are written again.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "drivers/sqlite/store_options.h"

struct sqlite3_vfs;

namespace grapnel::sqlite {

/// One instance serves one database. Thread-safe.
class SyncWatchVfs {
 public:
  /// Registers itself over the VFS named `inner` ("" = SQLite's default). Error: not_a_store when
  /// there is none.
  static Result<std::unique_ptr<SyncWatchVfs>> create(const std::string& inner,
                                                      PlantedBug bug = PlantedBug::none);
  ~SyncWatchVfs();
  SyncWatchVfs(const SyncWatchVfs&) = delete;
  SyncWatchVfs& operator=(const SyncWatchVfs&) = delete;

  const std::string& name() const { return name_; }
  /// Size of the log's present generation.
  std::uint64_t wal_bytes() const;
  /// A sync failed since the last cut.
  bool sync_failed() const;
  /// Cuts the log of this database file to its synced end and removes the index beside it. Every
  /// connection is closed. Errors: store_*; then it is to be called again.
  Result<> cut_wal(const std::string& database);

  struct Hooks;  // what SQLite calls
  friend struct Hooks;

 private:
  struct Log {
    std::uint64_t generation = 0;
    std::uint64_t written_end = 0;
    std::uint64_t synced_end = 0;
    std::uint64_t overwrites = 0;  // writes below the written end
  };
  SyncWatchVfs(sqlite3_vfs* inner, PlantedBug bug);

  void note_write_begins(std::uint64_t offset);
  void note_written(std::uint64_t end);
  void note_truncate(std::uint64_t size);
  void note_sync(const Log& before);
  void note_failed_sync();
  Log log() const;

  sqlite3_vfs* const inner_;
  const PlantedBug bug_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  mutable std::mutex mutex_;
  Log log_;
  bool sync_failed_ = false;
};

}  // namespace grapnel::sqlite
