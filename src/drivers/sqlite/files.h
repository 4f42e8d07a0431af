// The database's connections: how each is opened, and closing and opening all but the writer's
// together.
#pragma once

#include <memory>
#include <string>

#include "drivers/sqlite/checkpointer.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/statement.h"
#include "drivers/sqlite/sync_watch_vfs.h"

namespace grapnel::sqlite {

class Files {
 public:
  Files(std::string database, std::unique_ptr<SyncWatchVfs> watch, Readers& readers)
      : database_(std::move(database)), watch_(std::move(watch)), readers_(readers) {}

  ~Files() { close_others(); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  /// In WAL mode, every commit synced. Errors: store_*, not_a_store.
  Result<std::unique_ptr<Connection>> open_writer();
  /// Connections of the readers and of the checkpointer.
  Result<> open_others();
  /// Interrupts, waits and closes them.
  void close_others();
  /// After every connection is closed: cuts the log to what is synced.
  Result<> cut_wal() { return watch_->cut_wal(database_); }

  SyncWatchVfs& watch() { return *watch_; }
  Readers& readers() { return readers_; }
  Checkpointer& checkpointer() { return checkpointer_; }
  /// After a commit: asks for a checkpoint when the log has grown by enough.
  void note_growth();

 private:
  Result<std::unique_ptr<Connection>> open(Access access, std::size_t cache_bytes);

  const std::string database_;
  const std::unique_ptr<SyncWatchVfs> watch_;
  Readers& readers_;
  std::uint64_t asked_at_ = 0;  // the writer's thread
  Checkpointer checkpointer_;
};

}  // namespace grapnel::sqlite
