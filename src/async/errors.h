// What can go wrong while waiting.
#pragma once

#include "base/result.h"

namespace grapnel::async {

enum class errc {
  canceled = 1,  ///< the waiting scope was canceled; unwind without logging or retrying
  timed_out,     ///< the deadline passed first; try again later
  queue_full,    ///< a bounded queue has no room; try again later
  stopped,       ///< the service no longer takes work; give up
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::async

template <>
struct std::is_error_code_enum<grapnel::async::errc> : std::true_type {};
