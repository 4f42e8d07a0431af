// WORKER. What the kernel keeps from this process once the engine has started: files, sockets,
// other processes, code that was not there, and more memory than it needs.
#pragma once

#include "drivers/js/frames.h"

namespace grapnel::js {

/// The only descriptor that is left: the socket to the pool.
inline constexpr int kChannel = 3;

/// How a worker ends that had too little memory for the engine to go on.
inline constexpr int kExitMemory = 65;
/// How it ends when the engine does not start.
inline constexpr int kExitNoEngine = 66;

/// From the first instruction on: no core file, no privileges to gain, dies with its parent, and
/// the first to go when the machine runs out of memory.
void close_doors();
/// Makes a crash of the engine for want of memory end as kExitMemory.
void tell_shortage();
/// The bounds and the filter. Threads and files that are needed must be there already.
ReadyFrame lock_up();

}  // namespace grapnel::js
