#include "proxy/cli/ctl_command.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "config/postfix/master_cf.h"
#include "config/yaml/yaml_loader.h"
#include "proxy/admin/admin_address.h"
#include "proxy/admin/admin_client.h"
#include "proxy/cli/config_directory.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_lines.h"
#include "proxy/status/status_text.h"
#include "proxy/text/terminal_width.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

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

}  // namespace

void AddCtlCommand(CLI::App* app, int* status) {
  const auto ctl = std::make_shared<CtlOptions>();
  CLI::App* command = app->add_subcommand("ctl", "Ask a running service");
  command->require_subcommand(1);
  CLI::App* show = command->add_subcommand("status", "Pools, hosts and tables");
  show->add_option("-c,--config-directory", ctl->config_directory, "Where main.cf is")
      ->capture_default_str();
  show->add_option("--service", ctl->service_name,
                   "The service's name in master.cf; needed only when there are several");
  show->add_option("--socket", ctl->socket, "The admin listener: /path or ADDRESS:PORT");
  show->add_flag("--json", ctl->json, "The document as it is");
  show->callback([ctl, status] { *status = ShowStatus(*ctl); });
}

}  // namespace proxymux::proxy
