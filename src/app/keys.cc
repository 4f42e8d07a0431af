#include "app/keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "app/errors.h"
#include "app/limits.h"

namespace grapnel::app {
namespace {

constexpr std::string_view kDigestContext = "header digest key";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::unexpected<Error> file_error(std::string_view what, const std::string& file) {
  return fail(errc::bad_config, fmt::format("{} {}: {}", what, file, std::strerror(errno)));
}

/// The entry of a new file is durable only when its folder is synced.
bool sync_folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor.number() >= 0 && ::fsync(descriptor.number()) == 0;
}

/// Nothing: the file does not exist.
Result<std::optional<crypto::Secret>> read_secret_file(const std::string& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number() < 0) {
    if (errno == ENOENT) return std::nullopt;
    return file_error("cannot read", file);
  }
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) return file_error("cannot read", file);
  if ((status.st_mode & 077) != 0) {
    return fail(errc::bad_config,
                fmt::format("{} can be read by others (mode {:o}); run: chmod 600 {}", file,
                            status.st_mode & 0777, file));
  }
  std::array<char, kSecretFileBytesMax> buffer;
  const ssize_t size = ::read(descriptor.number(), buffer.data(), buffer.size());
  if (size < 0) return file_error("cannot read", file);
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  return crypto::Secret(std::string(text));
}

}  // namespace

Result<> write_secret_file(const std::string& file, std::string_view text) {
  const Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (descriptor.number() < 0) return file_error("cannot create", file);
  const std::string line = fmt::format("{}\n", text);
  const bool written =
      ::write(descriptor.number(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(descriptor.number()) == 0 && sync_folder_of(file);
  if (written) return {};
  auto failure = file_error("cannot write", file);
  ::unlink(file.c_str());  // a part of a key would be taken for a wrong one
  return failure;
}

Result<std::optional<crypto::MasterKey>> find_master_key(const crypto::Secret& from_environment,
                                                         const std::string& file) {
  if (!from_environment.reveal().empty()) {
    auto key = crypto::parse_master_key(from_environment.reveal());
    if (!key)
      return fail(errc::bad_config, fmt::format("GRAPNEL_MASTER_KEY: {}", key.error().message()));
    return std::move(*key);
  }
  auto text = read_secret_file(file);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  auto key = crypto::parse_master_key((*text)->reveal());
  if (!key) return fail(errc::bad_config, fmt::format("{}: {}", file, key.error().message()));
  return std::move(*key);
}

Result<crypto::MasterKey> make_master_key(Random& random, const std::string& file) {
  auto key = crypto::MasterKey::make(random);
  const auto written = write_secret_file(file, key.text().reveal());
  if (!written) return std::unexpected(written.error());
  return key;
}

bool has_sealed(const model::RegistrySnapshot& snapshot) {
  for (const auto& [id, entry] : snapshot.sources) {
    for (const auto& action : entry->actions) {
      if (!action->secrets.empty()) return true;
    }
  }
  return false;
}

Result<> check_sealed(const crypto::SecretBox& box, const model::RegistrySnapshot& snapshot) {
  for (const auto& [id, entry] : snapshot.sources) {
    for (const auto& action : entry->actions) {
      for (const auto& secret : action->secrets) {
        const auto opened = box.open(secret.sealed, action->id.str());
        if (!opened) {
          return fail(errc::bad_config,
                      fmt::format("the signing secret of action {} of source {} does not open: {}",
                                  action->name, entry->source.slug, opened.error().message()));
        }
      }
    }
  }
  return {};
}

Result<crypto::KeyedDigest> load_digest(const crypto::SecretBox& box, Random& random,
                                        const std::string& data_dir) {
  const std::string file = data_dir + "/digest.key";
  auto sealed = read_secret_file(file);
  if (!sealed) return std::unexpected(sealed.error());
  if (*sealed) {
    auto key = box.open((*sealed)->reveal(), kDigestContext);
    if (!key) return fail(errc::bad_config, fmt::format("{}: {}", file, key.error().message()));
    return crypto::KeyedDigest(std::move(*key));
  }
  std::string bytes(kDigestKeyBytes, '\0');
  random.fill(std::as_writable_bytes(std::span{bytes}));
  const auto text = box.seal(bytes, kDigestContext);
  if (!text) return std::unexpected(text.error());
  const auto written = write_secret_file(file, *text);
  if (!written) return std::unexpected(written.error());
  return crypto::KeyedDigest(crypto::Secret(std::move(bytes)));
}

}  // namespace grapnel::app
