#include "app/commands.h"

int main(int argc, char** argv) { return grapnel::app::run_command_line(argc, argv); }
