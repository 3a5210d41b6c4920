#include "proxy/cli/under_master.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <variant>

#include "proxy/cli/config_directory.h"
#include "proxy/daemon/daemon.h"
#include "proxy/log/log.h"
#include "proxy/process/master_arguments.h"
#include "proxy/process/master_service.h"

namespace proxymux::proxy {
namespace {

// Master throttles a service that ends so: the administrator has to act.
int FatalUnderMaster(Logger* logger, const std::string& text) {
  logger->Fatal(text);
  return EXIT_FAILURE;
}

}  // namespace

int RunUnderMaster(const std::vector<std::string>& argv) {
  BlockDaemonSignals();
  const auto environment =
      ParseMasterEnvironment([](const char* name) { return std::getenv(name); });
  const auto* good_environment = std::get_if<MasterEnvironment>(&environment);
  const std::string process_name = argv[0].substr(argv[0].rfind('/') + 1);
  const MasterEnvironment unknown;
  const MasterEnvironment& variables = good_environment != nullptr ? *good_environment : unknown;
  Logger logger(EarlyTarget(variables.log_tag, process_name, variables.postlog_service,
                            variables.postlog_hostname));

  const auto parsed = ParseMasterArguments(argv);
  if (const auto* error = std::get_if<ArgumentError>(&parsed)) {
    return FatalUnderMaster(&logger, error->text);
  }
  const auto& arguments = std::get<MasterArguments>(parsed);
  if (good_environment == nullptr) {
    return FatalUnderMaster(&logger, std::get<ArgumentError>(environment).text);
  }

  DaemonOptions options;
  options.mode = ServiceMode::kMaster;
  options.process_name = arguments.process_name;
  options.service_name = arguments.service_name;
  options.config_directory =
      variables.config_directory.empty() ? DefaultConfigDirectory() : variables.config_directory;
  options.overrides = arguments.overrides;
  options.generation = variables.generation;
  options.drop_privileges = arguments.drop_privileges;
  options.log_to_stderr = arguments.log_to_stderr;
  options.one_process = arguments.single_process || arguments.client_on_stdin;
  options.verbosity = arguments.verbosity;
  if (arguments.client_on_stdin) {
    options.client = STDIN_FILENO;
  } else {
    const auto descriptors = AdoptMasterDescriptors(arguments.socket_count);
    if (const auto* error = std::get_if<DescriptorError>(&descriptors)) {
      return FatalUnderMaster(&logger, error->text);
    }
    options.listeners = std::get<MasterDescriptors>(descriptors).listeners;
    options.status_fd = std::get<MasterDescriptors>(descriptors).status;
  }
  return Daemon(std::move(options), &logger).Run();
}

}  // namespace proxymux::proxy
