#include "drivers/sqlite/data_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/file_error.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/private_files.h"

namespace grapnel::sqlite {

Result<std::unique_ptr<DataLock>> DataLock::acquire(const std::string& folder) {
  auto made = make_private_folder(folder, "create the data directory");
  if (!made) return fail(std::move(made.error()));
  const std::string path = fmt::format("{}/{}", folder, kLockFile);
  auto file = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!file) return fail(file_error(file.error().value(), "open", path));
  if (::flock(file->number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(file_error(errno, "lock", path));
    std::array<char, 32> text{};
    const ssize_t size = ::pread(file->number(), text.data(), text.size() - 1, 0);
    std::string owner(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    owner.erase(owner.find_last_not_of(" \n") + 1);
    return fail(errc::locked,
                fmt::format("the data directory {} is in use by process {}: stop it first, or use "
                            "another directory",
                            folder, owner.empty() ? "unknown" : owner));
  }
  const std::string owner = fmt::format("{}\n", ::getpid());
  // Only for the message above: a full disk is told by the database itself.
  if (::ftruncate(file->number(), 0) == 0) {
    (void)!::pwrite(file->number(), owner.data(), owner.size(), 0);
  }
  return std::unique_ptr<DataLock>(new DataLock(std::move(*file)));
}

}  // namespace grapnel::sqlite
