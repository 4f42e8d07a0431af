// A file or folder of the system, open, and the calls that a signal or a full disk cuts short.
//
// Errors are the system's (std::generic_category, value() is errno), because each room words them
// in its own way.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace grapnel {

/// Owns a descriptor and closes it; empty after a move.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int number() const { return number_; }

 private:
  int number_;
};

/// open(2) with O_CLOEXEC; `mode` is that of a file which is made.
std::expected<FileDescriptor, std::error_code> open_file(const std::string& path, int flags,
                                                         mode_t mode = 0600);
/// Everything, however often the system takes a part.
std::error_code write_all(const FileDescriptor& file, std::string_view bytes);
/// Fills `buffer` from where the file stands; fewer bytes only at its end.
std::expected<std::size_t, std::error_code> read_up_to(const FileDescriptor& file,
                                                       std::span<char> buffer);
/// Hands `size` bytes at `offset` to the disk and waits for them, so that what a large file has
/// pending never stands before somebody else's sync for long. Durable only after sync().
std::error_code write_back(const FileDescriptor& file, std::size_t offset, std::size_t size);
/// fsync(2).
std::error_code sync(const FileDescriptor& file);
/// Syncs the folder that holds `path`: only then the entry of a new or renamed file is durable.
std::error_code sync_folder_of(const std::string& path);

}  // namespace grapnel
