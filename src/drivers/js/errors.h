// What can go wrong between the pool and a worker.
#pragma once

#include "base/result.h"

namespace grapnel::js {

enum class errc {
  start_failed = 1,  ///< the system gives no process, memory or socket; try again later
  worker_died,       ///< the worker ended, or was killed; start another one
  bad_frame,         ///< the worker said what no worker says; it was killed: start another one
  part_refused,      ///< the kernel refuses a part of the sandbox; tell the operator
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::js

template <>
struct std::is_error_code_enum<grapnel::js::errc> : std::true_type {};
