// Files that a person names on the command line or in a manifest: read whole and bounded.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace grapnel::cli {

/// Whether something of that name exists.
bool file_exists(const std::string& path);
/// Regular files, pipes and the like. Error: file_failed, one line that names the path.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
/// Without line ends and blanks around it. Errors: file_failed (also for an empty one).
Result<std::string> read_secret_file(const std::string& path);
/// `path` itself when it is absolute, otherwise beside the file `base`.
std::string beside(const std::string& base, const std::string& path);

}  // namespace grapnel::cli
