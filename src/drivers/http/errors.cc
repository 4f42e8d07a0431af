#include "drivers/http/errors.h"

#include <array>

namespace grapnel::http {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::bad_address, "not an IP address or CIDR", Condition::give_up},
    ErrorRow{errc::bad_url, "not a URL that can be called", Condition::give_up},
    ErrorRow{errc::egress_refused, "the address may not be called", Condition::give_up},
    ErrorRow{errc::name_not_found, "name not found", Condition::retry_later},
    ErrorRow{errc::name_lookup_failed, "name lookup failed", Condition::retry_later},
    ErrorRow{errc::lookups_busy, "too many names are being looked up", Condition::retry_later},
    ErrorRow{errc::listen_failed, "cannot listen", Condition::give_up},
    ErrorRow{errc::bad_tls_files, "certificate or key cannot be used", Condition::give_up}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.http", kRows);
  return {static_cast<int>(code), table};
}

}  // namespace grapnel::http
