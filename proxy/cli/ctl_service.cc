#include "proxy/cli/ctl_service.h"

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "config/postfix/master_cf.h"
#include "config/yaml/yaml_loader.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_lines.h"
#include "proxy/text/shown_text.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kLongestLine = 2000;

std::nullopt_t Complain(const std::string& text) {
  std::cerr << "proxymux: " << text << "\n";
  return std::nullopt;
}

// Names in it come from files: a terminal must not obey them.
void TellLines(std::ostream& out, const char* prefix, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    out << prefix << ShownText(line, kLongestLine) << "\n";
  }
}

}  // namespace

void CtlTarget::AddOptions(CLI::App* command) {
  command->add_option("-c,--config-directory", config_directory, "Where main.cf is")
      ->capture_default_str();
  command->add_option("--service", service_name,
                      "The service's name in master.cf; needed only when there are several");
  command->add_option("--socket", socket, "The admin listener: /path or ADDRESS:PORT");
}

std::optional<CtlService> CtlService::Find(const CtlTarget& target) {
  AdminQuestion question;
  question.address = target.socket;
  question.service_name = target.service_name;
  std::string queue_directory;
  std::vector<std::string> sockets;
  if (target.socket.empty()) {
    question.address =
        config::LoadConfigFile(target.config_directory + "/proxymux.yaml").config.admin_listen;
    const PostfixSettingsResult postfix = ReadPostfixSettings(target.config_directory, {});
    if (!postfix.settings.has_value()) return Complain(postfix.error);
    question.data_directory = postfix.settings->data_directory;
    queue_directory = postfix.settings->queue_directory;
    sockets = AdminSocketsIn(question.data_directory);
  }
  auto choice = ChooseAdmin(question, sockets);
  if (const auto* error = std::get_if<AdminAddressError>(&choice)) return Complain(error->text);
  return CtlService(target, std::get<ChosenAdmin>(std::move(choice)), std::move(queue_directory));
}

// As far as Postfix's configuration knows it.
void CtlService::TellWhyNobody(const AdminClientError& error) const {
  if (!error.nobody_listens || !target_.socket.empty()) {
    Complain(error.text);
    return;
  }
  const std::string file = target_.config_directory + "/master.cf";
  std::string problem;
  const auto text = ReadTextFile(file, &problem);
  Complain((text.has_value()
                ? WhyNobodyListens(config::ParseMasterCf(*text, file), target_.service_name,
                                   LookForMaster(queue_directory_))
                : file + ": cannot be read: " + problem) +
           " (nobody listens " + chosen_.place + ")");
}

std::optional<std::string> CtlService::Get(const std::string& path) const {
  const auto result = AdminGet(chosen_.address, path);
  if (const auto* error = std::get_if<AdminClientError>(&result)) {
    TellWhyNobody(*error);
    return std::nullopt;
  }
  const auto& reply = std::get<AdminReply>(result);
  if (reply.status == 200) return reply.body;
  std::cerr << "proxymux: the service answered " << reply.status << "\n";
  TellLines(std::cerr, "proxymux: ", reply.body);
  return std::nullopt;
}

int CtlService::Do(const ControlRequest& request) const {
  if (chosen_.address.kind == AdminAddress::Kind::kTcp) {
    Complain("commands are taken over a UNIX socket only, and the service listens on " +
             chosen_.address.Text() + " (admin.listen); for a reload send it SIGHUP");
    return EXIT_FAILURE;
  }
  const auto result = AdminPost(chosen_.address, request);
  if (const auto* error = std::get_if<AdminClientError>(&result)) {
    TellWhyNobody(*error);
    return EXIT_FAILURE;
  }
  const auto& reply = std::get<AdminReply>(result);
  if (reply.status == 200) {
    TellLines(std::cout, "", reply.body);
    return EXIT_SUCCESS;
  }
  if (reply.service.empty()) {
    Complain(chosen_.address.Text() + " is not a proxymux");
    return EXIT_FAILURE;
  }
  TellLines(std::cerr, "proxymux: ", reply.body);
  return EXIT_FAILURE;
}

}  // namespace proxymux::proxy
