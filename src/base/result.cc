#include "base/result.h"

#include <array>

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

constexpr std::array kRows{ErrorRow{errc::malformed, "malformed text", Condition::give_up},
                           ErrorRow{errc::out_of_range, "out of range", Condition::give_up}};

}  // namespace

const std::error_category& condition_category() noexcept {
  static const ConditionCategory category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.base", kRows);
  return {static_cast<int>(code), table};
}

const ErrorRow* ErrorTable::find(int value) const noexcept {
  if (value < 1 || static_cast<std::size_t>(value) > rows_.size()) return nullptr;
  return &rows_[static_cast<std::size_t>(value) - 1];
}

std::string ErrorTable::message(int value) const {
  const ErrorRow* row = find(value);
  return row == nullptr ? "unknown error" : std::string(row->sentence);
}

Condition ErrorTable::condition_of(int value) const noexcept {
  const ErrorRow* row = find(value);
  return row == nullptr ? Condition::give_up : row->condition;
}

Condition Error::condition() const noexcept {
  const std::error_condition condition = code.default_error_condition();
  if (condition.category() == condition_category()) {
    return static_cast<Condition>(condition.value());
  }
  return Condition::give_up;
}

}  // namespace grapnel
