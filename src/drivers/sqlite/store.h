// The embedded store: one SQLite database in one data directory, one process at a time.
//
//   DIR/lock        held by the process that uses the directory (flock); holds its pid
//   DIR/grapnel.db  with -wal and -shm beside it
//   DIR/bodies/     large bodies, one file each
//
// Open does, in order: lock, migrate, checkpoint, count this start (epoch), recover what a former
// process left running, sweep orphaned bodies, count open work. Then the ports work; they are used
// on the loop's thread unless they say otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "drivers/sqlite/store_options.h"
#include "model/store_ports.h"

namespace grapnel::sqlite {

class Store {
 public:
  /// Blocks (recovery). `clock`, `random` and `loop` outlive the store. Errors: locked,
  /// newer_schema, not_a_store, store_*; each message is one line for the operator.
  static Result<std::unique_ptr<Store>> open(StoreOptions options, const Clock& clock,
                                             Random& random, async::Executor loop);
  /// Stops. Calls that wait for the store are answered on the loop.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Commits what is queued, then refuses everything and closes the files. Blocks shortly.
  /// Idempotent.
  void stop();

  /// Its clock never goes back, not over a restart either, and is for any thread.
  const model::StorePorts& ports() const;
  /// Counts process starts on this store.
  std::int64_t epoch() const;

  /// Any thread.
  StoreCounters counters() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace grapnel::sqlite
