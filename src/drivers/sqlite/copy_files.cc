#include "drivers/sqlite/copy_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/file_error.h"
#include "drivers/sqlite/limits.h"

namespace grapnel::sqlite {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

/// False: errno says why.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Calls `take(piece) -> Result<>` for the whole file in pieces.
template <class Take>
Result<> read_pieces(const std::string& path, const Take& take) {
  const Descriptor file(path, O_RDONLY);
  if (!file.valid()) return fail(file_error(errno, "open", path));
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    const ssize_t got = ::read(file.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error(errno, "read", path));
    if (got == 0) return {};
    auto taken = take(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    if (!taken) return taken;
  }
}

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

std::string hex_of(const crypto::Digest& digest) {
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

Result<FileSum> sum_file(const std::string& path) {
  FileSum sum;
  crypto::Sha256Stream hash;
  auto done = read_pieces(path, [&](std::string_view piece) -> Result<> {
    sum.bytes += piece.size();
    hash.add(piece);
    return {};
  });
  if (!done) return fail(done.error());
  sum.sha256 = hex_of(hash.finish());
  return sum;
}

Result<> copy_synced(const std::string& from, const std::string& to) {
  const Descriptor target(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!target.valid()) return fail(file_error(errno, "create", to));
  auto done = read_pieces(from, [&](std::string_view piece) -> Result<> {
    if (!write_all(target.number(), piece)) return fail(file_error(errno, "write", to));
    return {};
  });
  if (!done) return done;
  if (::fsync(target.number()) != 0) return fail(file_error(errno, "sync", to));
  return {};
}

Result<> link_or_copy(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  return copy_synced(from, to);
}

Result<> write_synced(const std::string& path, std::string_view text) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.valid()) return fail(file_error(errno, "create", path));
  if (!write_all(file.number(), text) || ::fsync(file.number()) != 0) {
    return fail(file_error(errno, "write", path));
  }
  return {};
}

Result<std::string> read_whole(const std::string& path) {
  std::string text;
  auto done = read_pieces(path, [&](std::string_view piece) -> Result<> {
    if (text.size() + piece.size() > kManifestBytesMax) {
      return fail(errc::not_a_store,
                  fmt::format("{} is larger than any that a backup makes", path));
    }
    text.append(piece);
    return {};
  });
  if (!done) return fail(done.error());
  return text;
}

Result<> sync_path(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file.valid()) return fail(file_error(errno, "open", path));
  if (::fsync(file.number()) != 0) return fail(file_error(errno, "sync", path));
  return {};
}

Result<> rename_synced(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return fail(file_error(errno, "rename", from));
  return sync_path(folder_of(to));
}

Result<> make_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  }
  if (failed) return fail(file_error(failed.value(), "create", path));
  return {};
}

Result<> remove_all(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove_all(path, failed);
  if (failed) return fail(file_error(failed.value(), "remove", path));
  return {};
}

}  // namespace grapnel::sqlite
