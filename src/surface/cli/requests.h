// Commands that are a call or two: send, replay, cancel, retry, skip, enable, keys, backup …
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
async::Task<Result<>> run_replay(const Environment& environment, const Output& output,
                                 Client& client, ReplayOptions options);
async::Task<Result<>> run_change(const Output& output, Client& client, ChangeOptions options);
/// Prints the new secret on standard output, once.
async::Task<Result<>> run_rotate(const Output& output, Client& client, RotateOptions options);
/// `create` prints the key alone on standard output, so that it can be assigned.
async::Task<Result<>> run_keys(const Output& output, Client& client, KeyOptions options);
async::Task<Result<>> run_backup(const Output& output, Client& client, BackupOptions options);
async::Task<Result<>> run_status(const Output& output, Client& client);

}  // namespace grapnel::cli
