#include "app/errors.h"

namespace grapnel::app {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.app"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_config: return "wrong configuration";
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

}  // namespace grapnel::app
