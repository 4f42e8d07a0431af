// What the command line may touch, made real: one loop, a client that may call anything, listeners,
// the files of a stopped server.
#pragma once

namespace grapnel::app {

/// The program: takes the command line, gives the exit code.
int run_command_line(int argc, char** argv);

}  // namespace grapnel::app
