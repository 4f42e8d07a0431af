#include "drivers/js/worker_image.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <system_error>

#include "drivers/js/embedded.h"
#include "drivers/js/errors.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3; before, every such file may be executed
#endif

GRAPNEL_EMBED(worker, GRAPNEL_WORKER);

namespace grapnel::js {
namespace {

auto system_failure(std::string_view what, int error) {
  return fail(errc::start_failed,
              std::string(what) + ": " + std::generic_category().message(error));
}

}  // namespace

std::string_view worker_image() { return GRAPNEL_EMBEDDED(worker); }

Result<FileDescriptor> make_worker_file() {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int number = memfd_create("grapnel-script-worker", flags | MFD_EXEC);
  if (number < 0 && errno == EINVAL) number = memfd_create("grapnel-script-worker", flags);
  if (number < 0) return system_failure("memfd_create", errno);
  FileDescriptor file(number);
  if (const auto error = write_all(file, worker_image())) {
    return system_failure("writing the worker's program", error.value());
  }
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(number, F_ADD_SEALS, seals) != 0) return system_failure("sealing", errno);
  return file;
}

}  // namespace grapnel::js
