#include "proxy/cli/ctl_command.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/postfix/master_cf.h"
#include "config/yaml/yaml_loader.h"
#include "proxy/admin/admin_address.h"
#include "proxy/admin/admin_choice.h"
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

std::nullopt_t Complain(const std::string& text) {
  std::cerr << "proxymux: " << text << "\n";
  return std::nullopt;
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

// One document of the service that the options name. Without one standard error has the reason.
std::optional<std::string> Ask(const CtlOptions& ctl, const std::string& path) {
  AdminQuestion question;
  question.address = ctl.socket;
  question.service_name = ctl.service_name;
  std::string queue_directory;
  std::vector<std::string> sockets;
  if (ctl.socket.empty()) {
    question.address =
        config::LoadConfigFile(ctl.config_directory + "/proxymux.yaml").config.admin_listen;
    const PostfixSettingsResult postfix = ReadPostfixSettings(ctl.config_directory, {});
    if (!postfix.settings.has_value()) return Complain(postfix.error);
    question.data_directory = postfix.settings->data_directory;
    queue_directory = postfix.settings->queue_directory;
    sockets = AdminSocketsIn(question.data_directory);
  }
  const auto choice = ChooseAdmin(question, sockets);
  if (const auto* error = std::get_if<AdminAddressError>(&choice)) return Complain(error->text);
  const auto& chosen = std::get<ChosenAdmin>(choice);
  const auto reply = AdminGet(chosen.address, path);
  if (const auto* error = std::get_if<AdminClientError>(&reply)) {
    if (!error->nobody_listens || !ctl.socket.empty()) return Complain(error->text);
    return Complain(WhyNotThere(ctl, queue_directory) + " (nobody listens " + chosen.place + ")");
  }
  const auto& document = std::get<AdminReply>(reply);
  if (document.status != 200) {
    return Complain("the service answered " + std::to_string(document.status) + ": " +
                    document.body);
  }
  return document.body;
}

int ShowStatus(const CtlOptions& ctl) {
  const std::optional<std::string> document = Ask(ctl, "/status.json");
  if (!document.has_value()) return EXIT_FAILURE;
  if (ctl.json) {
    std::cout << *document << "\n";
    return EXIT_SUCCESS;
  }
  const auto text = StatusText(*document, OutputWidth(STDOUT_FILENO, std::getenv("COLUMNS")));
  if (const auto* error = std::get_if<StatusTextError>(&text)) {
    Complain(error->text);
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
