// Bodies too large for a row: one file each under DIR/bodies, written and synced before the row
// that names it. The name starts with the epoch of the process start that wrote it, so that the
// sweep of files that no row names can leave alone what this process is about to use.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "drivers/sqlite/stall_watch.h"

namespace grapnel::sqlite {

/// Thread-safe.
class Bodies {
 public:
  Bodies(std::string folder, std::int64_t epoch, Random& random, StallWatch& stalls);

  /// Creates the folder. Errors: store_*.
  Result<> open();
  /// A new synced file (and folder entry). Blocks. Errors: store_*.
  Result<std::string> write(std::string_view body);
  /// Blocks. Errors: body_gone when there is no such file, body_damaged when a link or a device
  /// stands there, store_*.
  Result<std::string> read(const std::string& name) const;
  /// Removes the file, or remembers to when the last Hold goes.
  void remove(const std::string& name);
  /// Names of files of former epochs.
  Result<std::vector<std::string>> former() const;

  /// While one lives no file is removed (a backup copies them).
  class Hold {
   public:
    explicit Hold(Bodies& bodies);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Bodies& bodies_;
  };
  std::unique_ptr<Hold> hold() { return std::make_unique<Hold>(*this); }
  const std::string& folder() const { return folder_; }

 private:
  std::string path_of(const std::string& name) const;

  const std::string folder_;
  const std::int64_t epoch_;
  Random& random_;
  StallWatch& stalls_;
  std::mutex mutex_;
  int holds_ = 0;
  std::vector<std::string> removed_;  // while held
};

}  // namespace grapnel::sqlite
