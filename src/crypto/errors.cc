#include "crypto/errors.h"

namespace grapnel::crypto {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.crypto"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::malformed: return "malformed key or encoding";
      case errc::wrong_key: return "sealed with another master key";
      case errc::damaged: return "the sealed text is damaged";
      case errc::too_large: return "too large to seal";
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

}  // namespace grapnel::crypto
