#include "drivers/http/errors.h"

namespace grapnel::http {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.http"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_address: return "not an IP address or CIDR";
      case errc::bad_url: return "not a URL that can be called";
      case errc::egress_refused: return "the address may not be called";
      case errc::name_not_found: return "name not found";
      case errc::name_lookup_failed: return "name lookup failed";
      case errc::lookups_busy: return "too many names are being looked up";
      case errc::listen_failed: return "cannot listen";
      case errc::bad_tls_files: return "certificate or key cannot be used";
    }
    return "unknown error";
  }
  Condition condition_of(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::name_not_found:
      case errc::name_lookup_failed:
      case errc::lookups_busy: return Condition::retry_later;
      case errc::bad_address:
      case errc::bad_url:
      case errc::egress_refused:
      case errc::listen_failed:
      case errc::bad_tls_files: return Condition::give_up;
    }
    return Condition::give_up;
  }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace grapnel::http
