// `grapnel verify`: why a captured request verifies or does not. Secrets are never printed, and
// never given on the command line, which every user of the machine can read.
#pragma once

#include "async/task.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

/// With a provider and a secret that the person has. Errors: usage, file_failed; refused where it
/// does not verify.
async::Task<Result<>> verify_here(const Environment& environment, const Output& output,
                                  VerifyOptions options);
/// With the secrets that the server keeps for a source.
async::Task<Result<>> verify_there(const Environment& environment, const Output& output,
                                   Client& client, VerifyOptions options);

}  // namespace grapnel::cli
