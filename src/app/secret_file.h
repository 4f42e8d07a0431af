// Files that hold one secret: one line, mode 0600, durable with their folder or not there at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace grapnel::app {

/// The line without white space at its end; nothing when the file does not exist. Error:
/// file_failed, it cannot be read, or others than its owner can read it.
Result<std::optional<crypto::Secret>> read_secret_file(const std::string& file);
/// A new file of `text` and a newline; it must not exist. Error: file_failed.
Result<> write_secret_file(const std::string& file, std::string_view text);
/// The same in the place of a file that exists: after a crash it holds the old line or the new one.
/// Error: file_failed.
Result<> replace_secret_file(const std::string& file, std::string_view text);

}  // namespace grapnel::app
