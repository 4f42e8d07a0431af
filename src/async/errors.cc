#include "async/errors.h"

namespace grapnel::async {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.async"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return "canceled";
      case errc::timed_out: return "timed out";
      case errc::queue_full: return "queue full";
      case errc::stopped: return "stopped";
    }
    return "unknown error";
  }
  Condition condition_of(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::canceled: return Condition::canceled;
      case errc::timed_out:
      case errc::queue_full: return Condition::retry_later;
      case errc::stopped: return Condition::give_up;
    }
    return Condition::give_up;
  }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace grapnel::async
