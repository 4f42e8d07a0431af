// `grapnel backup` and `grapnel status`: about the server as a whole.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

async::Task<Result<>> run_backup(const Output& output, Client& client, BackupOptions options);
async::Task<Result<>> run_status(const Output& output, Client& client);

}  // namespace grapnel::cli
