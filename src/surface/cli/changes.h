// `grapnel cancel`, `retry`, `skip`, `enable`: one call for one thing.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

async::Task<Result<>> run_change(const Output& output, Client& client, ChangeOptions options);

}  // namespace grapnel::cli
