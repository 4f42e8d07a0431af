// `grapnel serve`: one process from its configuration to its exit code.
//
//   open store ─► keys ─► relay, handlers ─► servers ─► serving ── SIGTERM ──► grace (not ready,
//   still accepting)
//                                                          │                        │
//                                                          └── second signal: out   ▼
//                                              exit 0 ◄── store closed ◄── drain (attempts finish
//                                              or are handed back)
#pragma once

#include "app/config.h"
#include "base/result.h"

namespace grapnel::app {

/// Blocks until a signal ends it. Errors are those of the start, one line for the operator; a stop
/// is no error.
Result<> serve(const Config& config);

}  // namespace grapnel::app
