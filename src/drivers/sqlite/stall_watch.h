// Who waits for the disk, and since when: a step that takes too long means that the disk hangs.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/sqlite/limits.h"

namespace grapnel::sqlite {

/// Thread-safe.
class StallWatch {
 public:
  explicit StallWatch(Millis stall_max);

  /// Nothing while every step under way is younger than `stall_max`; else store_unavailable, with
  /// the age of the oldest.
  std::optional<Error> stalled() const;

  /// Work in steps on one thread; the first begins at once.
  class Steps {
   public:
    explicit Steps(StallWatch& watch);
    ~Steps();
    Steps(const Steps&) = delete;
    Steps& operator=(const Steps&) = delete;
    /// One step is through, the next begins.
    void next();

   private:
    std::atomic<Monotonic>* slot_ = nullptr;  ///< null: all are taken, nobody watches
  };

 private:
  const Millis stall_max_;
  std::array<std::atomic<Monotonic>, kWatchedThreads> since_;  ///< max: free
};

}  // namespace grapnel::sqlite
