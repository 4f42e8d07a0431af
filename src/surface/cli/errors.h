// What can go wrong on the command line, and the exit code that says so.
//
//   0 done   1 the server refused or failed   2 wrong usage or a wrong file
//   3 the server is not reachable   4 not found   5 no key, or a key that may not do this
#pragma once

#include "base/result.h"

namespace grapnel::cli {

enum class errc {
  usage = 1,    ///< the arguments are not what the command takes; exit code 2
  malformed,    ///< a file or text is not what it should be; exit code 2
  file_failed,  ///< a file cannot be read; exit code 2
  unreachable,  ///< no answer from the server; exit code 3
  refused,      ///< the server answered that it will not; exit code 1
  conflict,     ///< somebody else changed it meanwhile, or its state does not allow it; exit code 1
  not_found,    ///< no such thing, or not yours to see; exit code 4
  not_allowed,  ///< no API key, or one that may not do this; exit code 5
  unavailable,  ///< the server cannot now (429, 5xx); exit code 1
  bad_answer,   ///< what answered does not speak this API; exit code 1
  incomplete,   ///< some of several steps failed; exit code 1
};
std::error_code make_error_code(errc code) noexcept;

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitUnreachable = 3,
  kExitNotFound = 4,
  kExitNotAllowed = 5,
};

/// Codes of other rooms are kExitFailed.
ExitCode exit_code_of(const Error& error);

}  // namespace grapnel::cli

template <>
struct std::is_error_code_enum<grapnel::cli::errc> : std::true_type {};
