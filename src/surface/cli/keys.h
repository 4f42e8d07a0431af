// `grapnel keys` and `grapnel rotate-secret`: what is shown once.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

/// `create` prints the key alone on standard output, so that it can be assigned.
async::Task<Result<>> run_keys(const Output& output, Client& client, KeyOptions options);
/// Prints the new secret on standard output, once.
async::Task<Result<>> run_rotate(const Output& output, Client& client, RotateOptions options);

}  // namespace grapnel::cli
