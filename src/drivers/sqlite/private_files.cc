#include "drivers/sqlite/private_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "drivers/sqlite/file_error.h"

namespace grapnel::sqlite {

namespace fs = std::filesystem;

Result<> make_private_folder(const std::string& path, const std::string& doing) {
  fs::path folder = fs::path(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  std::error_code failed;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), failed);
  if (failed) return fail(file_error(failed.value(), doing, path));
  if (::mkdir(folder.c_str(), 0700) == 0) return {};
  const int why = errno;
  if (why == EEXIST && fs::is_directory(folder, failed)) return {};
  return fail(file_error(why, doing, path));
}

Result<> make_private_file(const std::string& path) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file || file.error() == std::errc::file_exists) return {};
  return fail(file_error(file.error().value(), "create", path));
}

std::expected<FileDescriptor, std::error_code> open_plain(const std::string& path) {
  // Without O_NONBLOCK a pipe would keep us waiting for somebody who writes.
  auto file = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file) return file;
  struct stat status{};
  if (::fstat(file->number(), &status) != 0) {
    return std::unexpected(std::error_code(errno, std::generic_category()));
  }
  if (S_ISREG(status.st_mode)) return file;
  return std::unexpected(make_error_code(std::errc::too_many_symbolic_link_levels));
}

}  // namespace grapnel::sqlite
