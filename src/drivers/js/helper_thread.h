// WORKER. The engine's background work (sweeping, compiling regexes away from the main thread) on
// one thread that is there before the filter of system calls is.
#pragma once

namespace grapnel::js {

/// After JS_Init, before the first context. Returns once the thread runs.
void start_helper_thread();

}  // namespace grapnel::js
