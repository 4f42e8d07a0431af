#include "app/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "app/errors.h"
#include "app/limits.h"
#include "base/file_descriptor.h"

namespace grapnel::app {
namespace {

std::unexpected<Error> file_error(std::string_view what, const std::string& file,
                                  std::error_code error) {
  return fail(errc::file_failed, fmt::format("{} {}: {}", what, file, error.message()));
}

std::error_code last_error() { return {errno, std::generic_category()}; }

}  // namespace

Result<std::optional<crypto::Secret>> read_secret_file(const std::string& file) {
  const auto opened = open_file(file, O_RDONLY);
  if (!opened) {
    if (opened.error() == std::errc::no_such_file_or_directory) return std::nullopt;
    return file_error("cannot read", file, opened.error());
  }
  struct stat status{};
  if (::fstat(opened->number(), &status) != 0) return file_error("cannot read", file, last_error());
  if ((status.st_mode & 077) != 0) {
    return fail(errc::file_failed,
                fmt::format("{} can be read by others (mode {:o}); run: chmod 600 {}", file,
                            status.st_mode & 0777, file));
  }
  std::array<char, kSecretFileBytesMax> buffer;
  const auto size = read_up_to(*opened, buffer);
  if (!size) return file_error("cannot read", file, size.error());
  std::string_view text(buffer.data(), *size);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  crypto::Secret secret(text);
  crypto::wipe(buffer.data(), buffer.size());
  return secret;
}

Result<> write_secret_file(const std::string& file, std::string_view text) {
  const auto opened = open_file(file, O_WRONLY | O_CREAT | O_EXCL);
  if (!opened) return file_error("cannot create", file, opened.error());
  std::string line = fmt::format("{}\n", text);
  std::error_code failed = write_all(*opened, line);
  crypto::wipe(line);
  if (!failed) failed = sync(*opened);
  if (!failed) failed = sync_folder_of(file);
  if (!failed) return {};
  ::unlink(file.c_str());  // a part of a key would be taken for a wrong one
  return file_error("cannot write", file, failed);
}

Result<> replace_secret_file(const std::string& file, std::string_view text) {
  const std::string fresh = file + ".new";
  ::unlink(fresh.c_str());  // left by a process that was cut off
  if (auto written = write_secret_file(fresh, text); !written) return written;
  if (std::rename(fresh.c_str(), file.c_str()) != 0) {
    return file_error("cannot replace", file, last_error());
  }
  if (const auto failed = sync_folder_of(file)) return file_error("cannot sync", file, failed);
  return {};
}

}  // namespace grapnel::app
