// proxymux: under master(8) a daemon like Postfix's own, otherwise a program with commands.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "proxy/cli/command_line.h"
#include "proxy/cli/under_master.h"
#include "proxy/process/master_arguments.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  const int status = proxymux::proxy::StartedByMaster(arguments)
                         ? proxymux::proxy::RunUnderMaster(arguments)
                         : proxymux::proxy::RunCommandLine(argc, argv);
  // Not exit(): that would wait for a worker thread that waits for a name server.
  std::cout.flush();
  std::fflush(nullptr);
  std::quick_exit(status);
}
