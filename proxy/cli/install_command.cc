#include "proxy/cli/install_command.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "config/postfix/program_output.h"
#include "proxy/cli/config_directory.h"
#include "proxy/install/instance_switch.h"
#include "proxy/process/postfix_settings.h"

namespace proxymux::proxy {
namespace {

constexpr char kProgram[] = "proxymux";

// The configuration directories that postmulti(1) lists.
std::vector<std::string> Instances(const std::string& config_directory, std::string* error) {
  config::ProgramRun run;
  run.arguments = {CommandDirectory(config_directory) + "/postmulti", "-l"};
  run.environment = config::PostfixEnvironment(config_directory);
  const config::ProgramOutput output = config::RunProgram(run);
  std::vector<std::string> directories;
  if (!output.failure.empty()) {
    *error = "postmulti -l " + output.failure + ": " + output.err;
    return directories;
  }
  std::istringstream lines(output.out);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find_last_of(" \t");
    if (blank != std::string::npos) directories.push_back(line.substr(blank + 1));
  }
  if (directories.empty()) *error = "postmulti -l lists no instance";
  return directories;
}

int ForEach(const InstallOptions& options, std::istream* in, std::ostream& out, std::ostream& err,
            const std::function<int(InstanceSwitch&)>& change) {
  if (geteuid() != 0) {
    err << kProgram << ": only root may change the files of Postfix\n";
    return kSwitchFailed;
  }
  std::vector<std::string> directories = {options.config_directory};
  if (options.all_instances) {
    std::string error;
    directories = Instances(options.config_directory, &error);
    if (directories.empty()) {
      err << kProgram << ": " << error << "\n";
      return kSwitchFailed;
    }
  }
  int status = kSwitchDone;
  for (const std::string& directory : directories) {
    // Postfix's programs want no relative name.
    std::error_code error;
    const std::string absolute =
        std::filesystem::absolute(directory, error).lexically_normal().string();
    if (directory.empty() || error) {
      err << kProgram << ": " << (directory.empty() ? "-c names no directory" : error.message())
          << "\n";
      return kSwitchFailed;
    }
    InstanceSwitch one(
        {options.in_place ? SwitchWay::kInPlace : SwitchWay::kBeside, options.offline, options.yes},
        absolute, in, &out, &err);
    status = std::max(status, change(one));
  }
  return status;
}

CLI::App* AddCommand(CLI::App* app, const std::string& name, const std::string& text,
                     const std::shared_ptr<InstallOptions>& options) {
  options->config_directory = DefaultConfigDirectory();
  CLI::App* command = app->add_subcommand(name, text);
  CLI::Option* one =
      command->add_option("-c,--config-directory", options->config_directory, "Where main.cf is")
          ->capture_default_str();
  command
      ->add_flag("--all-instances", options->all_instances,
                 "Each instance of Postfix that postmulti -l lists")
      ->excludes(one);
  command->add_flag("--yes", options->yes, "Do it without a question");
  return command;
}

std::istream* Somebody() { return isatty(STDIN_FILENO) == 1 ? &std::cin : nullptr; }

}  // namespace

int Install(const InstallOptions& options, std::istream* in, std::ostream& out, std::ostream& err) {
  return ForEach(options, in, out, err, [](InstanceSwitch& one) { return one.Install(); });
}

int Uninstall(const InstallOptions& options, std::istream* in, std::ostream& out,
              std::ostream& err) {
  return ForEach(options, in, out, err, [](InstanceSwitch& one) { return one.Uninstall(); });
}

void AddInstallCommands(CLI::App* app, int* status) {
  const auto install = std::make_shared<InstallOptions>();
  CLI::App* there =
      AddCommand(app, "install", "Send Postfix's lookups here, after `check`", install);
  there->add_flag("--in-place", install->in_place,
                  "In the place of stock's service proxymap, not beside it");
  there->add_flag("--offline", install->offline, "Ask no database server before");
  there->footer(
      "Exit status: 0 done, 1 nothing was changed, 2 it cannot be done.\n"
      "Example: proxymux install --yes");
  there->callback(
      [install, status] { *status = Install(*install, Somebody(), std::cout, std::cerr); });
  const auto uninstall = std::make_shared<InstallOptions>();
  CLI::App* back =
      AddCommand(app, "uninstall", "Send Postfix's lookups to stock's proxymap again", uninstall);
  back->footer(
      "Exit status: 0 done, 1 nothing was changed, 2 it cannot be done.\n"
      "Example: proxymux uninstall --yes");
  back->callback(
      [uninstall, status] { *status = Uninstall(*uninstall, Somebody(), std::cout, std::cerr); });
}

}  // namespace proxymux::proxy
