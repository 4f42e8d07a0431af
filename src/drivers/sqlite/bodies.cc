#include "drivers/sqlite/bodies.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "drivers/sqlite/file_error.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
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

}  // namespace

Bodies::Bodies(std::string folder, std::int64_t epoch, Random& random)
    : folder_(std::move(folder)), epoch_(epoch), random_(random) {}

Result<> Bodies::open() {
  std::error_code made;
  std::filesystem::create_directory(folder_, made);
  if (made) return fail(file_error(made.value(), "create", folder_));
  // Its entry and those of the files beside it are durable before anything in them is.
  const std::string parent = std::filesystem::path(folder_).parent_path();
  const Descriptor entries(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!entries.valid() || ::fsync(entries.number()) != 0)
    return fail(file_error(errno, "sync", parent));
  return {};
}

Result<std::string> Bodies::write(std::string_view body) {
  std::string name = fmt::format("{:x}-{:016x}", epoch_, random_.u64());
  const std::string path = path_of(name);
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return fail(file_error(errno, "open", folder_));
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return fail(file_error(errno, "create", path));
  if (!write_all(file.number(), body) || ::fsync(file.number()) != 0 ||
      ::fsync(folder.number()) != 0) {
    const Error error = file_error(errno, "write", path);
    ::unlink(path.c_str());
    return fail(error);
  }
  return name;
}

Result<std::string> Bodies::read(const std::string& name) const {
  const std::string path = path_of(name);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) {
    return fail(model::errc::body_gone, fmt::format("the body's file {} is missing", path));
  }
  if (!file.valid()) return fail(file_error(errno, "open", path));
  const off_t size = ::lseek(file.number(), 0, SEEK_END);
  if (size < 0) return fail(file_error(errno, "read", path));
  std::string body(static_cast<std::size_t>(size), '\0');
  std::size_t at = 0;
  while (at < body.size()) {
    const ssize_t got =
        ::pread(file.number(), body.data() + at, body.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error(errno, "read", path));
    if (got == 0) break;  // cut meanwhile: its checksum will tell
    at += static_cast<std::size_t>(got);
  }
  body.resize(at);
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
