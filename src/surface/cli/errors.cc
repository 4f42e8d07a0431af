#include "surface/cli/errors.h"

namespace grapnel::cli {
namespace {

class Category final : public ErrorCategory {
 public:
  const char* name() const noexcept override { return "grapnel.cli"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::usage: return "wrong usage";
      case errc::malformed: return "malformed text";
      case errc::file_failed: return "the file cannot be read";
      case errc::unreachable: return "the server is not reachable";
      case errc::refused: return "the server refused";
      case errc::conflict: return "conflict";
      case errc::not_found: return "not found";
      case errc::not_allowed: return "not allowed";
      case errc::unavailable: return "the server cannot do it now";
      case errc::bad_answer: return "not an answer of this API";
      case errc::incomplete: return "not everything was done";
    }
    return "unknown error";
  }
  Condition condition_of(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::unreachable: return Condition::reconnect;
      case errc::unavailable:
      case errc::incomplete: return Condition::retry_later;
      default: return Condition::give_up;
    }
  }
};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static const Category category;
  return {static_cast<int>(code), category};
}

ExitCode exit_code_of(const Error& error) {
  if (error.code.category() != make_error_code(errc::usage).category()) return kExitFailed;
  switch (static_cast<errc>(error.code.value())) {
    case errc::usage:
    case errc::malformed:
    case errc::file_failed: return kExitUsage;
    case errc::unreachable: return kExitUnreachable;
    case errc::not_found: return kExitNotFound;
    case errc::not_allowed: return kExitNotAllowed;
    default: return kExitFailed;
  }
}

}  // namespace grapnel::cli
