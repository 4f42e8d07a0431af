// `grapnel describe`: everything about one thing, readable from top to bottom.
#pragma once

#include "async/task.h"
#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/output.h"

namespace grapnel::cli {

/// JSON and YAML get one document with all parts; people get the sheet.
async::Task<Result<>> run_describe(const Output& output, Client& client, DescribeOptions options);

}  // namespace grapnel::cli
