// The exclusive lock of a data directory: flock on DIR/lock, which holds the owner's process id.
// The kernel drops it with the process, however that ends.
#pragma once

#include <memory>
#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace grapnel::sqlite {

class DataLock {
 public:
  /// Creates the folder (0700) and the file where they are missing. Errors: locked (the message
  /// says by whom), store_full, store_read_only.
  static Result<std::unique_ptr<DataLock>> acquire(const std::string& folder);

 private:
  explicit DataLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

}  // namespace grapnel::sqlite
