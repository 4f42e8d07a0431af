#include "drivers/sqlite/data_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/file_error.h"
#include "drivers/sqlite/limits.h"

namespace grapnel::sqlite {

Result<std::unique_ptr<DataLock>> DataLock::acquire(const std::string& folder) {
  std::error_code made;
  if (std::filesystem::create_directories(folder, made)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, made);
  }
  if (made) return fail(file_error(made.value(), "create the data directory", folder));
  const std::string path = fmt::format("{}/{}", folder, kLockFile);
  std::unique_ptr<DataLock> lock(
      new DataLock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)));
  if (lock->file_ < 0) return fail(file_error(errno, "open", path));
  if (::flock(lock->file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(file_error(errno, "lock", path));
    std::array<char, 32> text{};
    const ssize_t size = ::pread(lock->file_, text.data(), text.size() - 1, 0);
    std::string owner(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    owner.erase(owner.find_last_not_of(" \n") + 1);
    return fail(errc::locked,
                fmt::format("the data directory {} is in use by process {}: stop it first, or use "
                            "another directory",
                            folder, owner.empty() ? "unknown" : owner));
  }
  const std::string owner = fmt::format("{}\n", ::getpid());
  // Only for the message above: a full disk is told by the database itself.
  if (::ftruncate(lock->file_, 0) == 0) (void)!::pwrite(lock->file_, owner.data(), owner.size(), 0);
  return lock;
}

DataLock::~DataLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace grapnel::sqlite
