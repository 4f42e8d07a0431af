#include "signature/errors.h"

namespace grapnel::signature {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.signature"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_key: return "unusable signing secret";
      case errc::no_key: return "no key to sign with";
      case errc::missing_header: return "a signature header is missing";
      case errc::bad_id: return "webhook-id must not contain a '.'";
      case errc::bad_timestamp: return "webhook-timestamp is not a number of seconds";
      case errc::too_old: return "the timestamp is too old";
      case errc::too_new: return "the timestamp is in the future";
      case errc::too_many_signatures: return "too many signatures";
      case errc::no_known_version: return "no signature of a known version";
      case errc::malformed_signature: return "malformed signature";
      case errc::bad_scheme: return "unusable verification settings";
      case errc::no_match: return "no signature matches";
    }
    return "unknown error";
  }
  Condition condition_of(int) const noexcept override { return Condition::give_up; }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace grapnel::signature
