// The command line as a function: arguments in, exit code out.
#pragma once

#include <string>
#include <vector>

#include "surface/cli/environment.h"
#include "surface/cli/errors.h"

namespace grapnel::cli {

/// Runs one command; `arguments` are without the program's name. Results go to `environment.out`,
/// everything else to `environment.err`; an error is one clear line. Exit codes: errors.h.
int run(std::vector<std::string> arguments, const Environment& environment);

/// Drops the program's name.
int run(int argc, const char* const* argv, const Environment& environment);

}  // namespace grapnel::cli
