#include "app/errors.h"

#include <array>

namespace grapnel::app {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::bad_config, "wrong configuration", Condition::give_up},
    ErrorRow{errc::file_failed, "a file cannot be read or written", Condition::give_up}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.app", kRows);
  return {static_cast<int>(code), table};
}

}  // namespace grapnel::app
