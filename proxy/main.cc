// proxymux: under master(8) a daemon like Postfix's own, otherwise a program with commands.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "proxy/cli/bench_command.h"
#include "proxy/cli/check_command.h"
#include "proxy/cli/config_command.h"
#include "proxy/cli/ctl_command.h"
#include "proxy/cli/lookup_command.h"
#include "proxy/cli/serve_command.h"
#include "proxy/cli/under_master.h"
#include "proxy/process/master_arguments.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {
namespace {

// Every mistake on the command line, as in most programs.
constexpr int kWrongUsage = 2;

int RunCommand(int argc, char** argv) {
  CLI::App app{
      "PostgreSQL lookups for Postfix over a few shared connections, in proxymap(8)'s place"};
  app.set_version_flag("--version", std::string("proxymux ") + kVersion);
  app.require_subcommand(1);
  int status = EXIT_SUCCESS;
  AddServeCommand(&app, &status);
  AddConfigCommand(&app, &status);
  AddCheckCommand(&app, &status);
  AddLookupCommand(&app, &status);
  AddCtlCommand(&app, &status);
  AddBenchCommand(&app, &status);

  if (argc > 1 && argv[1][0] != '-') {
    std::string words;
    bool known = false;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      known |= command->get_name() == argv[1];
      words += (words.empty() ? "" : ", ") + command->get_name();
    }
    if (!known) {
      std::cerr << "proxymux: there is no command " << argv[1] << "; there are: " << words << "\n";
      return kWrongUsage;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no errors.
    return app.exit(error) == 0 ? EXIT_SUCCESS : kWrongUsage;
  }
  return status;
}

}  // namespace
}  // namespace proxymux::proxy

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  const int status = proxymux::proxy::StartedByMaster(arguments)
                         ? proxymux::proxy::RunUnderMaster(arguments)
                         : proxymux::proxy::RunCommand(argc, argv);
  // Not exit(): that would wait for a worker thread that waits for a name server.
  std::cout.flush();
  std::fflush(nullptr);
  std::quick_exit(status);
}
