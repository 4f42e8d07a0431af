#include "base/file_descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace grapnel {
namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

/// Calls `function` until no signal cuts it short.
template <class Function>
auto uninterrupted(Function function) {
  auto result = function();
  while (result < 0 && errno == EINTR) result = function();
  return result;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

std::expected<FileDescriptor, std::error_code> open_file(const std::string& path, int flags,
                                                         mode_t mode) {
  const int number = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (number < 0) return std::unexpected(last_error());
  return FileDescriptor(number);
}

std::error_code write_all(const FileDescriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
    if (written < 0) return last_error();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<std::size_t, std::error_code> read_up_to(const FileDescriptor& file,
                                                       std::span<char> buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t got = uninterrupted(
        [&] { return ::read(file.number(), buffer.data() + have, buffer.size() - have); });
    if (got < 0) return std::unexpected(last_error());
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

std::error_code write_back(const FileDescriptor& file, std::size_t offset, std::size_t size) {
  const auto done = uninterrupted([&] {
    return ::sync_file_range(
        file.number(), static_cast<off64_t>(offset), static_cast<off64_t>(size),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  });
  // A file system that does not know it writes back when it likes; a sandbox may forbid it.
  const bool unknown = errno == EINVAL || errno == ENOSYS || errno == ESPIPE || errno == EPERM;
  if (done == 0 || unknown) return {};
  return last_error();
}

std::error_code sync(const FileDescriptor& file) {
  return uninterrupted([&] { return ::fsync(file.number()); }) == 0 ? std::error_code()
                                                                    : last_error();
}

std::error_code sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const auto entries = open_file(folder, O_RDONLY | O_DIRECTORY);
  return entries ? sync(*entries) : entries.error();
}

}  // namespace grapnel
