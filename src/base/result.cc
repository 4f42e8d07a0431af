#include "base/result.h"

namespace grapnel {
namespace {

class ConditionCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "grapnel.condition"; }
  std::string message(int value) const override {
    switch (static_cast<Condition>(value)) {
      case Condition::retry_later: return "try again later";
      case Condition::reconnect: return "connect again";
      case Condition::give_up: return "trying again does not help";
      case Condition::canceled: return "canceled";
    }
    return "unknown condition";
  }
};

class BaseCategory final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.base"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::malformed: return "malformed text";
      case errc::out_of_range: return "out of range";
    }
    return "unknown error";
  }
  Condition condition_of(int) const noexcept override { return Condition::give_up; }
};

}  // namespace

const std::error_category& condition_category() noexcept {
  static const ConditionCategory category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  static const BaseCategory category;
  return {static_cast<int>(code), category};
}

Condition Error::condition() const noexcept {
  const std::error_condition condition = code.default_error_condition();
  if (condition.category() == condition_category()) {
    return static_cast<Condition>(condition.value());
  }
  return Condition::give_up;
}

}  // namespace grapnel
