// `grapnel send`: one webhook, as a sender would post it.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

async::Task<Result<>> run_send(const Environment& environment, const Output& output, Client& client,
                               SendOptions options);

}  // namespace grapnel::cli
