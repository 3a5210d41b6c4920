// proxymux: under master(8) a daemon like Postfix's own, otherwise a program with sub-commands.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "config/postfix/master_cf.h"
#include "config/yaml/config_text.h"
#include "config/yaml/yaml_loader.h"
#include "proxy/admin/admin_address.h"
#include "proxy/admin/admin_client.h"
#include "proxy/bench/bench_command.h"
#include "proxy/cli/check.h"
#include "proxy/cli/lookup_command.h"
#include "proxy/daemon/daemon.h"
#include "proxy/log/log.h"
#include "proxy/process/master_arguments.h"
#include "proxy/process/master_service.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_lines.h"
#include "proxy/process/socket_activation.h"
#include "proxy/status/status_text.h"
#include "proxy/status/version.h"
#include "proxy/text/terminal_width.h"
#include "proxy/text/text_file.h"
#include "proxy/uv/uv_listener.h"

namespace proxymux::proxy {
namespace {

// For commands without --config-directory; postmulti(1) -x sets MAIL_CONFIG.
std::string DefaultConfigDirectory() {
  const char* given = std::getenv("MAIL_CONFIG");
  return given != nullptr && *given != '\0' ? given : "/etc/postfix";
}

// Master throttles a service that ends so: the administrator has to act.
int FatalUnderMaster(Logger* logger, const std::string& text) {
  logger->Fatal(text);
  return EXIT_FAILURE;
}

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

int ShowConfig(const std::string& config_directory) {
  if (!std::filesystem::is_directory(config_directory)) {
    std::cerr << "proxymux: there is no directory " << config_directory << "\n";
    return EXIT_FAILURE;
  }
  const config::LoadedConfig loaded = config::LoadConfigFile(config_directory + "/proxymux.yaml");
  for (const config::Diagnostic& diagnostic : loaded.diagnostics) {
    std::cerr << diagnostic.ToString() << "\n";
  }
  std::cout << config::RenderConfig(loaded.config);
  return loaded.HasErrors() ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct CtlOptions {
  std::string config_directory = DefaultConfigDirectory();
  std::string service_name;
  std::string socket;
  bool json = false;
};

// The admin sockets in `directory`, by the name that ParseAdminAddress gives them.
std::vector<std::string> AdminSocketsIn(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("proxymux-") && name.ends_with(".sock")) found.push_back(entry.path());
  }
  return found;
}

// What Postfix's configuration tells about a service that nobody reaches.
std::string WhyNotThere(const CtlOptions& ctl, const std::string& queue_directory) {
  const std::string file = ctl.config_directory + "/master.cf";
  std::string error;
  const auto text = ReadTextFile(file, &error);
  if (!text.has_value()) return file + ": cannot be read: " + error;
  return WhyNobodyListens(config::ParseMasterCf(*text, file), ctl.service_name,
                          LookForMaster(queue_directory));
}

int ShowStatus(const CtlOptions& ctl) {
  std::string setting = ctl.socket;
  std::string data_directory;
  std::string queue_directory;
  if (setting.empty()) {
    setting = config::LoadConfigFile(ctl.config_directory + "/proxymux.yaml").config.admin_listen;
    const PostfixSettingsResult postfix = ReadPostfixSettings(ctl.config_directory, {});
    if (!postfix.settings.has_value()) {
      std::cerr << "proxymux: " << postfix.error << "\n";
      return EXIT_FAILURE;
    }
    data_directory = postfix.settings->data_directory;
    queue_directory = postfix.settings->queue_directory;
  }
  if (setting.empty() && ctl.service_name.empty()) {
    // One service as a rule, whatever its name in master.cf.
    const std::vector<std::string> sockets = AdminSocketsIn(data_directory);
    if (sockets.size() > 1) {
      std::cerr << "proxymux: several services have an admin socket here; choose one with "
                   "--service or --socket:\n";
      for (const std::string& socket : sockets) std::cerr << "  " << socket << "\n";
      return EXIT_FAILURE;
    }
    if (sockets.size() == 1) setting = sockets[0];
  }
  const auto address = ParseAdminAddress(setting, data_directory,
                                         ctl.service_name.empty() ? "proxymux" : ctl.service_name);
  if (const auto* error = std::get_if<AdminAddressError>(&address)) {
    std::cerr << "proxymux: " << error->text << "\n";
    return EXIT_FAILURE;
  }
  const auto reply = AdminGet(std::get<AdminAddress>(address), "/status.json");
  if (const auto* error = std::get_if<AdminClientError>(&reply)) {
    if (error->nobody_listens && ctl.socket.empty()) {
      std::cerr << "proxymux: " << WhyNotThere(ctl, queue_directory) << " (nobody listens "
                << (setting.empty() ? "in " + data_directory
                                    : "on " + std::get<AdminAddress>(address).Text())
                << ")\n";
    } else {
      std::cerr << "proxymux: " << error->text << "\n";
    }
    return EXIT_FAILURE;
  }
  const auto& document = std::get<AdminReply>(reply);
  if (document.status != 200) {
    std::cerr << "proxymux: the service answered " << document.status << ": " << document.body
              << "\n";
    return EXIT_FAILURE;
  }
  if (ctl.json) {
    std::cout << document.body << "\n";
    return EXIT_SUCCESS;
  }
  const auto text = StatusText(document.body, OutputWidth(STDOUT_FILENO, std::getenv("COLUMNS")));
  if (const auto* error = std::get_if<StatusTextError>(&text)) {
    std::cerr << "proxymux: " << error->text << "\n";
    return EXIT_FAILURE;
  }
  std::cout << std::get<std::string>(text);
  return EXIT_SUCCESS;
}

int RunCommand(int argc, char** argv) {
  CLI::App app{
      "PostgreSQL lookups for Postfix over a few shared connections, in proxymap(8)'s place"};
  app.set_version_flag("--version", std::string("proxymux ") + kVersion);
  app.require_subcommand(1);
  int status = EXIT_SUCCESS;

  ServeOptions serve;
  CLI::App* serve_command =
      app.add_subcommand("serve", "Serve in the foreground, without master(8)");
  serve_command->add_option("--listen", serve.listen, "UNIX socket to listen on");
  serve_command->add_option("-c,--config-directory", serve.config_directory, "Where main.cf is")
      ->capture_default_str();
  serve_command->add_option("--service", serve.service_name, "Name in logs and of the admin socket")
      ->capture_default_str();
  serve_command->add_option("-o", serve.overrides, "Override a main.cf parameter: name=value");
  serve_command->add_flag("-v", serve.verbosity, "Log more");
  serve_command->add_flag("--syslog", serve.syslog,
                          "Log where Postfix does instead of to standard error");
  serve_command->callback([&] { status = Serve(serve); });

  CLI::App* config_command = app.add_subcommand("config", "The settings of proxymux.yaml");
  config_command->require_subcommand(1);
  std::string config_directory = DefaultConfigDirectory();
  CLI::App* show = config_command->add_subcommand("show", "Every setting in effect");
  show->add_option("-c,--config-directory", config_directory, "Where proxymux.yaml is")
      ->capture_default_str();
  show->callback([&] { status = ShowConfig(config_directory); });
  config_command->add_subcommand("reference", "Every setting with its meaning, as an example file")
      ->callback([] { std::cout << config::RenderReference(); });

  std::string check_directory = DefaultConfigDirectory();
  CLI::App* check =
      app.add_subcommand("check", "Check main.cf, proxymux.yaml and every approved pgsql table");
  check->add_option("-c,--config-directory", check_directory, "Where main.cf is")
      ->capture_default_str();
  check->callback(
      [&] { status = Check(check_directory, std::cout) ? EXIT_SUCCESS : EXIT_FAILURE; });

  LookupOptions lookup;
  lookup.config_directory = DefaultConfigDirectory();
  CLI::App* lookup_command =
      app.add_subcommand("lookup", "Ask one pgsql table, as postmap -q does, without Postfix");
  lookup_command->add_option("KEY", lookup.key, "What to look up; -: keys on standard input")
      ->required();
  lookup_command->add_option("TABLE", lookup.table, "pgsql:/path/of/table.cf")->required();
  lookup_command
      ->add_option("-c,--config-directory", lookup.config_directory,
                   "Where main.cf and proxymux.yaml are, if there are any")
      ->capture_default_str();
  lookup_command->add_flag("--explain", lookup.explain, "Show how the answer came about");
  lookup_command->add_flag_callback(
      "-f", [&] { lookup.fold = false; }, "Do not fold the key to lower case");
  lookup_command->add_flag_callback(
      "-u", [&] { lookup.utf8 = false; }, "No UTF-8 checks; fold ASCII only");
  lookup_command->callback([&] { status = Lookup(lookup, std::cin, std::cout, std::cerr); });

  CtlOptions ctl;
  CLI::App* ctl_command = app.add_subcommand("ctl", "Ask a running service");
  ctl_command->require_subcommand(1);
  CLI::App* ctl_status = ctl_command->add_subcommand("status", "Pools, hosts and tables");
  ctl_status->add_option("-c,--config-directory", ctl.config_directory, "Where main.cf is")
      ->capture_default_str();
  ctl_status->add_option("--service", ctl.service_name,
                         "The service's name in master.cf; needed only when there are several");
  ctl_status->add_option("--socket", ctl.socket, "The admin listener: /path or ADDRESS:PORT");
  ctl_status->add_flag("--json", ctl.json, "The document as it is");
  ctl_status->callback([&] { status = ShowStatus(ctl); });

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
      return 2;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are no errors; every mistake on the command line is 2, as in most programs.
    return app.exit(error) == 0 ? EXIT_SUCCESS : 2;
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
