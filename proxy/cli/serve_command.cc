#include "proxy/cli/serve_command.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/cli/config_directory.h"
#include "proxy/daemon/daemon.h"
#include "proxy/log/log.h"
#include "proxy/process/master_arguments.h"
#include "proxy/process/master_service.h"
#include "proxy/process/socket_activation.h"
#include "proxy/uv/uv_listener.h"

namespace proxymux::proxy {
namespace {

struct ServeOptions {
  std::string config_directory = DefaultConfigDirectory();
  std::string listen;
  std::string service_name = "proxymux";
  std::vector<std::string> overrides;
  int verbosity = 0;
  bool syslog = false;
};

std::string AbsolutePath(const std::string& path) {
  if (path.starts_with('/')) return path;
  char directory[PATH_MAX];
  return getcwd(directory, sizeof(directory)) == nullptr ? path
                                                         : std::string(directory) + "/" + path;
}

int Serve(const ServeOptions& serve) {
  BlockDaemonSignals();
  LogTarget target;
  target.sink = LogSink::kStderr;
  target.tag = serve.service_name;
  Logger logger(target);
  DaemonOptions options;
  options.mode = ServiceMode::kStandalone;
  options.service_name = serve.service_name;
  options.config_directory = AbsolutePath(serve.config_directory);
  options.verbosity = serve.verbosity;
  options.log_to_stderr = !serve.syslog;
  options.drop_privileges = geteuid() == 0;
  if (const auto problem = ServiceNameProblem(serve.service_name)) {
    logger.Fatal(*problem);
    return EXIT_FAILURE;
  }
  for (const std::string& text : serve.overrides) {
    auto pair = SplitOverride(text);
    if (const auto* error = std::get_if<ArgumentError>(&pair)) {
      logger.Fatal(error->text);
      return EXIT_FAILURE;
    }
    options.overrides.push_back(std::get<std::pair<std::string, std::string>>(std::move(pair)));
  }
  auto activated = AdoptActivatedSockets();
  if (const auto* error = std::get_if<ActivationError>(&activated)) {
    logger.Fatal(error->text);
    return EXIT_FAILURE;
  }
  options.listeners = std::get<std::vector<int>>(std::move(activated));
  if (!serve.listen.empty()) {
    const std::string path = AbsolutePath(serve.listen);
    std::string error;
    const int fd = ListenUnix(path, &error);
    if (fd < 0) {
      logger.Fatal("cannot listen on " + path + ": " + error);
      return EXIT_FAILURE;
    }
    options.listeners.push_back(fd);
    options.socket_name = SocketName(path);
  }
  if (options.listeners.empty()) {
    logger.Fatal(
        "nothing to listen on: give --listen PATH, or start it by socket activation (LISTEN_FDS)");
    return EXIT_FAILURE;
  }
  return Daemon(std::move(options), &logger).Run();
}

}  // namespace

void AddServeCommand(CLI::App* app, int* status) {
  const auto serve = std::make_shared<ServeOptions>();
  CLI::App* command = app->add_subcommand("serve", "Serve in the foreground, without master(8)");
  command->add_option("--listen", serve->listen, "UNIX socket to listen on");
  command->add_option("-c,--config-directory", serve->config_directory, "Where main.cf is")
      ->capture_default_str();
  command->add_option("--service", serve->service_name, "Name in logs and of the admin socket")
      ->capture_default_str();
  command->add_option("-o", serve->overrides, "Override a main.cf parameter: name=value");
  command->add_flag("-v", serve->verbosity, "Log more");
  command->add_flag("--syslog", serve->syslog,
                    "Log where Postfix does instead of to standard error");
  command->callback([serve, status] { *status = Serve(*serve); });
}

}  // namespace proxymux::proxy
