#include "drivers/sqlite/file_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "model/errors.h"

namespace grapnel::sqlite {

Error file_error(int number, const std::string& doing, const std::string& path) {
  const std::string sentence = fmt::format("cannot {} {}: {}", doing, path, std::strerror(number));
  switch (number) {
    case ENOSPC:
    case EDQUOT: return {model::errc::store_full, sentence};
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR: return {model::errc::store_read_only, sentence};
    default: return {model::errc::store_unavailable, sentence};
  }
}

}  // namespace grapnel::sqlite
