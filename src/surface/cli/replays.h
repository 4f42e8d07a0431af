// `grapnel replay`: one event or delivery again, or many dead letters by a job that is waited for.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

async::Task<Result<>> run_replay(const Environment& environment, const Output& output,
                                 Client& client, ReplayOptions options);

}  // namespace grapnel::cli
