// The embedded store: one SQLite database in one data directory, one process at a time.
//
//   DIR/lock        held by the process that uses the directory (flock); holds its pid
//   DIR/grapnel.db  with -wal and -shm beside it
//   DIR/bodies/     large bodies, one file each
//
// Open does, in order: lock, migrate, checkpoint, count this start (epoch), recover what a former process
// left running, sweep orphaned bodies, count open work. Then the ports work; they are used on the loop's
// thread unless they say otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "drivers/sqlite/limits.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"

namespace grapnel::sqlite {

/// Faults planted on purpose, so that tests can prove that they would be seen.
enum class PlantedBug : std::uint8_t {
  none,
  skip_sync,  ///< commits are acknowledged before they are synced
};

struct StoreOptions {
  std::string data_dir;
  std::uint64_t wal_bytes_max = kWalBytesMax;
  std::string vfs;  ///< a registered SQLite VFS for the database's files; "" = the system's
  PlantedBug bug = PlantedBug::none;
};

class Store {
 public:
  /// Blocks (recovery). `clock`, `random` and `loop` outlive the store. Errors: locked, newer_schema, not_a_store,
  /// store_*; each message is one line for the operator.
  static Result<std::unique_ptr<Store>> open(StoreOptions options, const Clock& clock, Random& random,
                                             async::Executor loop);
  /// Stops. Calls that wait for the store are answered on the loop.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Commits what is queued, then refuses everything and closes the files. Blocks shortly. Idempotent.
  void stop();

  model::EventLog& events();
  model::DeliveryBook& deliveries();
  model::Registry& registry();
  model::Catalog& catalog();
  model::Upkeep& upkeep();

  /// Never goes back, not over a restart either. Any thread.
  const StoreClock& clock() const;
  /// Counts process starts on this store.
  std::int64_t epoch() const;
  /// Counts restores.
  std::int64_t generation() const;

  /// Commits and commands since the start. Any thread.
  struct Counters {
    std::uint64_t commits = 0;
    std::uint64_t commands = 0;
    std::uint64_t reopenings = 0;  ///< after a failed sync
    std::uint64_t restarts = 0;    ///< checkpoints that the writer made at the log's bound
  };
  Counters counters() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace grapnel::sqlite
