#include "surface/cli/errors.h"

#include <array>

namespace grapnel::cli {
namespace {

constexpr std::array kRows{
    ErrorRow{errc::usage, "wrong usage", Condition::give_up},
    ErrorRow{errc::malformed, "malformed text", Condition::give_up},
    ErrorRow{errc::file_failed, "the file cannot be read", Condition::give_up},
    ErrorRow{errc::unreachable, "the server is not reachable", Condition::reconnect},
    ErrorRow{errc::refused, "the server refused", Condition::give_up},
    ErrorRow{errc::conflict, "conflict", Condition::give_up},
    ErrorRow{errc::not_found, "not found", Condition::give_up},
    ErrorRow{errc::not_allowed, "not allowed", Condition::give_up},
    ErrorRow{errc::unavailable, "the server cannot do it now", Condition::retry_later},
    ErrorRow{errc::bad_answer, "not an answer of this API", Condition::give_up},
    ErrorRow{errc::incomplete, "not everything was done", Condition::retry_later}};

}  // namespace

std::error_code make_error_code(errc code) noexcept {
  static constinit const ErrorTable table("grapnel.cli", kRows);
  return {static_cast<int>(code), table};
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
