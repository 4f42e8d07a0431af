#include "drivers/sqlite/files.h"

#include <vector>

#include "drivers/sqlite/limits.h"

namespace grapnel::sqlite {

Result<std::unique_ptr<Connection>> Files::open(Access access, std::size_t cache_bytes) {
  auto connection = Connection::open(
      {.path = database_, .vfs = watch_->name(), .access = access, .cache_bytes = cache_bytes});
  // What becomes of the log when connections close is the writer's decision alone.
  if (connection) (*connection)->keep_wal();
  return connection;
}

Result<std::unique_ptr<Connection>> Files::open_writer() {
  auto connection = open(Access::read_write, kWriterCacheBytes);
  if (!connection) return connection;
  auto done = (*connection)->execute("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL");
  if (done)
    done = (*connection)->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
  if (!done) return fail(std::move(done.error()));
  return connection;
}

Result<> Files::open_others() {
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t i = 0; i < kReaders; ++i) {
    auto connection = open(Access::read_only, kReaderCacheBytes);
    if (!connection) return fail(std::move(connection.error()));
    connections.push_back(std::move(*connection));
  }
  auto checkpoints = open(Access::read_write, kReaderCacheBytes);
  if (!checkpoints) return fail(std::move(checkpoints.error()));
  auto done = (*checkpoints)->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
  if (!done) return done;
  checkpointer_.open(std::move(*checkpoints));
  readers_.open(std::move(connections));
  return {};
}

void Files::close_others() {
  readers_.close();
  checkpointer_.close();
}

void Files::note_growth() {
  const std::uint64_t size = watch_->wal_bytes();
  if (size < asked_at_) asked_at_ = 0;  // it began anew
  if (size < asked_at_ + kCheckpointEveryBytes) return;
  asked_at_ = size;
  checkpointer_.wake();
}

}  // namespace grapnel::sqlite
