// How a store is opened, and what it counts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "drivers/sqlite/limits.h"

namespace grapnel::sqlite {

/// Faults planted on purpose, so that tests can prove that they would be seen.
enum class PlantedBug : std::uint8_t {
  none,
  skip_sync,  ///< commits are acknowledged before they are synced
};

/// One transaction that became durable.
struct CommitFigures {
  std::size_t bytes = 0;                       ///< that its commands carried
  std::chrono::steady_clock::duration took{};  ///< from its first statement to the end of its sync
};

struct StoreOptions {
  std::string data_dir;
  std::uint64_t wal_bytes_max = kWalBytesMax;
  /// A step that takes longer (StallWatch) means that the disk hangs: new writes are refused until
  /// it is through; what is queued stays queued.
  Millis stall_max = kStallMax;
  std::string vfs;  ///< a registered SQLite VFS for the database's files; "" = the system's
  PlantedBug bug = PlantedBug::none;
  /// Called on the writer's thread after each commit, if set.
  std::function<void(const CommitFigures&)> on_commit = {};
};

/// Since the start.
struct StoreCounters {
  std::uint64_t commits = 0;
  std::uint64_t commands = 0;
  std::uint64_t reopenings = 0;  ///< after a failed sync
  std::uint64_t restarts = 0;    ///< checkpoints that the writer made itself, at the log's bound
};

}  // namespace grapnel::sqlite
