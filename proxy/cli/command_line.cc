#include "proxy/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>

#include "proxy/cli/bench_command.h"
#include "proxy/cli/check_command.h"
#include "proxy/cli/compare_command.h"
#include "proxy/cli/config_command.h"
#include "proxy/cli/config_directory.h"
#include "proxy/cli/ctl_command.h"
#include "proxy/cli/install_command.h"
#include "proxy/cli/lookup_command.h"
#include "proxy/cli/serve_command.h"
#include "proxy/daemon/program_versions.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {
namespace {

// Every mistake on the command line, as in most programs.
constexpr int kWrongUsage = 2;

// CLI11 would only say that it did not expect the word.
bool IsCommand(const CLI::App& app, const std::string& word) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return true;
    words += (words.empty() ? "" : ", ") + command->get_name();
  }
  std::cerr << "proxymux: there is no command " << word << "; there are: " << words << "\n";
  return false;
}

std::string VersionText() {
  ProgramVersions versions = LibraryVersions();
  if (const auto postfix = ReadMailVersion(DefaultConfigDirectory())) {
    versions.postfix = postfix->ToString();
  }
  return std::string("proxymux ") + kVersion + "\n" + VersionsText(versions);
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app{
      "PostgreSQL lookups for Postfix over a few shared connections, in proxymap(8)'s place"};
  app.set_version_flag("--version", &VersionText);
  app.require_subcommand(1);
  int status = EXIT_SUCCESS;
  // In the order of --help.
  AddServeCommand(&app, &status);
  AddConfigCommand(&app, &status);
  AddCheckCommand(&app, &status);
  AddLookupCommand(&app, &status);
  AddCompareCommand(&app, &status);
  AddInstallCommands(&app, &status);
  AddCtlCommand(&app, &status);
  AddBenchCommand(&app, &status);

  if (argc > 1 && argv[1][0] != '-' && !IsCommand(app, argv[1])) return kWrongUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no errors.
    return app.exit(error) == 0 ? EXIT_SUCCESS : kWrongUsage;
  }
  return status;
}

}  // namespace proxymux::proxy
