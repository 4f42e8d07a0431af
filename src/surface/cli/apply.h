// `grapnel apply`: reads everything, checks everything, shows or takes the steps.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

/// Nothing is changed before all files are checked and the server has shown what it has. A step
/// that the server refuses ends the run; what was done until then stays, and the same command goes
/// on from there. Changes carry no If-Match: a health report between reading and writing would
/// refuse them, and only the fields that differ are sent.
async::Task<Result<>> run_apply(const Environment& environment, const Output& output,
                                Client& client, ApplyOptions options);

}  // namespace grapnel::cli
