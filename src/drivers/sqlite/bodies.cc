#include "drivers/sqlite/bodies.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "async/work_rest.h"
#include "drivers/sqlite/file_error.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/private_files.h"
#include "model/errors.h"

namespace grapnel::sqlite {
Bodies::Bodies(std::string folder, std::int64_t epoch, Random& random, StallWatch& stalls)
    : folder_(std::move(folder)), epoch_(epoch), random_(random), stalls_(stalls) {}

Result<> Bodies::open() {
  if (auto made = make_private_folder(folder_); !made) return made;
  // Its entry and those of the files beside it are durable before anything in them is.
  if (const auto failed = sync_folder_of(folder_)) {
    return fail(file_error(failed.value(), "sync the folder of", folder_));
  }
  return {};
}

Result<std::string> Bodies::write(std::string_view body) {
  StallWatch::Steps steps(stalls_);
  std::string name = fmt::format("{:x}-{:016x}", epoch_, random_.u64());
  const std::string path = path_of(name);
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return fail(file_error(file.error().value(), "create", path));
  std::error_code failed;
  async::WorkRest rest;
  for (std::size_t at = 0; !failed && at < body.size(); at += kWriteBackBytes) {
    rest.before_piece();
    steps.next();
    const std::string_view piece = body.substr(at, kWriteBackBytes);
    failed = write_all(*file, piece);
    if (!failed) failed = write_back(*file, at, piece.size());
  }
  steps.next();
  if (!failed) failed = sync(*file);
  if (!failed) failed = sync_folder_of(path);
  if (failed) {
    ::unlink(path.c_str());
    return fail(file_error(failed.value(), "write", path));
  }
  return name;
}

Result<std::string> Bodies::read(const std::string& name) const {
  const std::string path = path_of(name);
  const auto file = open_plain(path);
  if (!file && file.error() == std::errc::no_such_file_or_directory) {
    return fail(model::errc::body_gone, fmt::format("the body's file {} is missing", path));
  }
  if (!file && file.error() == std::errc::too_many_symbolic_link_levels) {
    return fail(model::errc::body_damaged, fmt::format("the body's file {} is no file", path));
  }
  if (!file) return fail(file_error(file.error().value(), "open", path));
  struct stat status{};
  if (::fstat(file->number(), &status) != 0) return fail(file_error(errno, "read", path));
  std::string body(static_cast<std::size_t>(status.st_size), '\0');
  const auto got = read_up_to(*file, body);
  if (!got) return fail(file_error(got.error().value(), "read", path));
  body.resize(*got);  // cut meanwhile: its checksum will tell
  return body;
}

void Bodies::remove(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (holds_ > 0) {
    removed_.push_back(name);
  } else {
    ::unlink(path_of(name).c_str());  // one that stays is swept after the next start
  }
}

Result<std::vector<std::string>> Bodies::former() const {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator at(folder_, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    std::string name = at->path().filename().string();
    std::int64_t epoch = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch, 16);
    const bool ours = error == std::errc{} && end != name.data() + name.size() && *end == '-';
    if (ours && epoch < epoch_) names.push_back(std::move(name));
  }
  if (failed) return fail(file_error(failed.value(), "read", folder_));
  return names;
}

Bodies::Hold::Hold(Bodies& bodies) : bodies_(bodies) {
  const std::scoped_lock lock(bodies_.mutex_);
  ++bodies_.holds_;
}

Bodies::Hold::~Hold() {
  const std::scoped_lock lock(bodies_.mutex_);
  if (--bodies_.holds_ > 0) return;
  for (const auto& name : bodies_.removed_) ::unlink(bodies_.path_of(name).c_str());
  bodies_.removed_.clear();
}

std::string Bodies::path_of(const std::string& name) const { return folder_ + "/" + name; }

}  // namespace grapnel::sqlite
