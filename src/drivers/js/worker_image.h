// The worker's program, which is part of this one.
#pragma once

#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace grapnel::js {

std::string_view worker_image();

/// A sealed file in memory that holds it, to be executed. Error: start_failed.
Result<FileDescriptor> make_worker_file();

}  // namespace grapnel::js
