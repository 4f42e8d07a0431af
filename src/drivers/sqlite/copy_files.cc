#include "drivers/sqlite/copy_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file_descriptor.h"
#include "crypto/base64.h"
#include "crypto/bytes.h"
#include "crypto/digest.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/file_error.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/private_files.h"

namespace grapnel::sqlite {
namespace {

/// Calls `take(piece) -> Result<>` for the whole file in pieces.
template <class Take>
Result<> read_pieces(const std::string& path, const Take& take) {
  const auto file = open_plain(path);
  if (!file && file.error() == std::errc::too_many_symbolic_link_levels) {
    return fail(errc::not_a_store, fmt::format("{} is no file", path));
  }
  if (!file) return fail(file_error(file.error().value(), "open", path));
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    const auto got = read_up_to(*file, buffer);
    if (!got) return fail(file_error(got.error().value(), "read", path));
    if (*got == 0) return {};
    auto taken = take(std::string_view(buffer).substr(0, *got));
    if (!taken) return taken;
  }
}

}  // namespace

Result<FileSum> sum_file(const std::string& path) {
  FileSum sum;
  crypto::Sha256Stream hash;
  auto done = read_pieces(path, [&](std::string_view piece) -> Result<> {
    sum.bytes += piece.size();
    hash.add(piece);
    return {};
  });
  if (!done) return fail(done.error());
  sum.sha256 = crypto::hex_encode(crypto::as_text(hash.finish()));
  return sum;
}

Result<> copy_synced(const std::string& from, const std::string& to) {
  const auto target = open_file(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!target) return fail(file_error(target.error().value(), "create", to));
  std::size_t at = 0;
  auto done = read_pieces(from, [&](std::string_view piece) -> Result<> {
    auto failed = write_all(*target, piece);
    if (!failed) failed = write_back(*target, at, piece.size());
    at += piece.size();
    if (failed) return fail(file_error(failed.value(), "write", to));
    return {};
  });
  if (!done) return done;
  if (const auto failed = sync(*target)) return fail(file_error(failed.value(), "sync", to));
  return {};
}

Result<> link_or_copy(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  return copy_synced(from, to);
}

Result<> write_synced(const std::string& path, std::string_view text) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return fail(file_error(file.error().value(), "create", path));
  auto failed = write_all(*file, text);
  if (!failed) failed = sync(*file);
  if (failed) return fail(file_error(failed.value(), "write", path));
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
  const auto file = open_file(path, O_RDONLY);
  if (!file) return fail(file_error(file.error().value(), "open", path));
  if (const auto failed = sync(*file)) return fail(file_error(failed.value(), "sync", path));
  return {};
}

Result<> rename_synced(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return fail(file_error(errno, "rename", from));
  const auto failed = sync_folder_of(to);
  if (failed) return fail(file_error(failed.value(), "sync the folder of", to));
  return {};
}

Result<> remove_all(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove_all(path, failed);
  if (failed) return fail(file_error(failed.value(), "remove", path));
  return {};
}

}  // namespace grapnel::sqlite
