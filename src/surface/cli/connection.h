// Which server a command talks to, and with which key.
#pragma once

#include "base/result.h"
#include "surface/cli/client.h"
#include "surface/cli/command_line.h"
#include "surface/cli/environment.h"

namespace grapnel::cli {

/// Server: --server, GRAPNEL_SERVER, http://127.0.0.1:8080. Key: --key, --key-file,
/// GRAPNEL_API_KEY, DATA_DIR/admin.key where it can be read (DATA_DIR from GRAPNEL_DATA_DIR, else
/// ./grapnel-data); that last one goes to this machine only. Errors: usage, file_failed.
Result<Connection> make_connection(const Environment& environment, const GlobalOptions& global);

}  // namespace grapnel::cli
