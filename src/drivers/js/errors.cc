#include "drivers/js/errors.h"

#include <array>

namespace grapnel::js {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::start_failed, "the worker of scripts does not start", Condition::retry_later},
    ErrorRow{errc::worker_died, "the worker of scripts ended", Condition::reconnect},
    ErrorRow{errc::bad_frame, "the worker of scripts broke its protocol", Condition::reconnect},
    ErrorRow{errc::part_refused, "the kernel refuses a part of the sandbox", Condition::give_up}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.js", kRows);
  return {static_cast<int>(code), table};
}

}  // namespace grapnel::js
