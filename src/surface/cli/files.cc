#include "surface/cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "surface/cli/errors.h"
#include "surface/cli/limits.h"

namespace grapnel::cli {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

Result<std::string> read_descriptor(int descriptor, const std::string& name,
                                    std::size_t bytes_max) {
  std::string out;
  for (;;) {
    const std::size_t have = out.size();
    out.resize(have + kReadStepBytes);
    const ssize_t got = read(descriptor, out.data() + have, kReadStepBytes);
    if (got < 0 && errno == EINTR) {
      out.resize(have);
      continue;
    }
    if (got < 0) return fail(errc::file_failed, fmt::format("{}: {}", name, reason(errno)));
    out.resize(have + static_cast<std::size_t>(got));
    if (got == 0) return out;
    if (out.size() > bytes_max) {
      return fail(errc::file_failed, fmt::format("{}: more than {} bytes", name, bytes_max));
    }
  }
}

}  // namespace

bool file_exists(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0;
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(errc::file_failed, fmt::format("{}: {}", path, reason(errno)));
  }
  auto text = read_descriptor(descriptor, path, bytes_max);
  close(descriptor);
  return text;
}

Result<std::string> read_secret_file(const std::string& path) {
  auto text = read_file(path, kSecretFileBytesMax);
  if (!text) return text;
  const auto is_blank = [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; };
  while (!text->empty() && is_blank(text->back())) text->pop_back();
  text->erase(text->begin(), std::ranges::find_if_not(*text, is_blank));
  if (text->empty()) return fail(errc::file_failed, fmt::format("{}: the file is empty", path));
  return text;
}

std::string beside(const std::string& base, const std::string& path) {
  const std::size_t slash = base.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return base.substr(0, slash + 1) + path;
}

}  // namespace grapnel::cli
