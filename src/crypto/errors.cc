#include "crypto/errors.h"

#include <array>

namespace grapnel::crypto {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::malformed, "malformed key or encoding", Condition::give_up},
    ErrorRow{errc::wrong_key, "sealed with another master key", Condition::give_up},
    ErrorRow{errc::damaged, "the sealed text is damaged", Condition::give_up},
    ErrorRow{errc::untrusted, "not a certificate to trust", Condition::give_up},
    ErrorRow{errc::too_large, "too large to seal", Condition::give_up}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.crypto", kRows);
  return {static_cast<int>(code), table};
}

}  // namespace grapnel::crypto
