// Files and folders of the store: nobody else's to read, whatever the process's umask is, and never
// somewhere else, whatever a link says.
#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace grapnel::sqlite {

/// Creates the folder for its owner alone (0700) and its missing parents as the umask has it; one
/// that exists stays as it is. `doing` is for the error's sentence. Errors: store_*.
Result<> make_private_folder(const std::string& path, const std::string& doing = "create");

/// Creates an empty file for its owner alone (0600) unless there is one; for databases, because
/// SQLite gives the files beside a database the database's mode. Errors: store_*.
Result<> make_private_file(const std::string& path);

/// Opens for reading. Links, pipes, devices and folders are
/// std::errc::too_many_symbolic_link_levels: whoever put them there means something else.
std::expected<FileDescriptor, std::error_code> open_plain(const std::string& path);

}  // namespace grapnel::sqlite
