// Starts the worker's process: nothing of this one reaches it but one end of a socket pair.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace grapnel::js {

struct StartedWorker {
  pid_t pid = -1;
  FileDescriptor channel{-1};  ///< our end
  FileDescriptor handle{-1};   ///< pidfd, readable once the process ended; -1 before Linux 5.3
};

/// `program` is of make_worker_file(); `argument` is given to it unless empty. The calling thread
/// stands still until the program runs (a millisecond); when that thread ends, so does the worker.
/// Error: start_failed.
Result<StartedWorker> start_worker(const FileDescriptor& program, const std::string& argument);

}  // namespace grapnel::js
