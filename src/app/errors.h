// What can go wrong when the process starts.
#pragma once

#include "base/result.h"

namespace grapnel::app {

enum class errc {
  bad_config = 1,  ///< grapnel.yaml or the environment: one line a mistake; tell the operator
  file_failed,  ///< a file, folder or standard input cannot be read or written, or others can read
                ///< it; the message says which and why: mend its path, owner, mode or disk
};
std::error_code make_error_code(errc code) noexcept;

}  // namespace grapnel::app

template <>
struct std::is_error_code_enum<grapnel::app::errc> : std::true_type {};
