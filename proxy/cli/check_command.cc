#include "proxy/cli/check_command.h"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "proxy/cli/config_directory.h"
#include "proxy/cli/system_check.h"
#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

constexpr int kNothingWrong = 0;
constexpr int kWarnings = 1;
constexpr int kErrors = 2;

std::string Counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

void WriteText(const SystemCheck& check, const CheckOptions& options, std::ostream& out) {
  out << check.findings().Text();
  for (const CheckedServer& server : check.servers()) {
    out << ShownText("host " + server.host + " (pool " + server.pool + "): " + server.Text())
        << "\n";
  }
  out << Counted(check.tables(), "pgsql table") << ", "
      << Counted(check.findings().errors(), "error") << ", "
      << Counted(check.findings().warnings(), "warning");
  if (geteuid() != 0) out << "; who can read the files is looked at for root only";
  if (!options.connect) {
    out << "; no server was asked (--connect)";
  } else if (!check.user().empty()) {
    out << "; servers were asked as " << check.user();
  }
  out << "\n";
}

void WriteJson(const SystemCheck& check, const CheckOptions& options, std::ostream& out) {
  nlohmann::ordered_json document;
  document["tables"] = check.tables();
  document["errors"] = check.findings().errors();
  document["warnings"] = check.findings().warnings();
  document["readers_checked"] = check.readers_checked();
  document["connected"] = options.connect;
  document["findings"] = check.findings().Json();
  document["servers"] = nlohmann::ordered_json::array();
  for (const CheckedServer& server : check.servers()) {
    document["servers"].push_back(server.Json());
  }
  out << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

int Check(const CheckOptions& options, std::ostream& out) {
  SystemCheck check(options.config_directory);
  check.CheckFiles();
  if (options.connect) check.AskServers();
  options.json ? WriteJson(check, options, out) : WriteText(check, options, out);
  if (check.findings().errors() > 0) return kErrors;
  return check.findings().warnings() > 0 ? kWarnings : kNothingWrong;
}

void AddCheckCommand(CLI::App* app, int* status) {
  const auto options = std::make_shared<CheckOptions>();
  options->config_directory = DefaultConfigDirectory();
  options->connect = isatty(STDOUT_FILENO) == 1;
  CLI::App* command = app->add_subcommand(
      "check", "Look for mistakes in Postfix's files, proxymux.yaml, tables and database servers");
  command->add_option("-c,--config-directory", options->config_directory, "Where main.cf is")
      ->capture_default_str();
  CLI::Option* connect = command->add_flag_callback(
      "--connect", [options] { options->connect = true; },
      "Ask the database servers (as on a terminal)");
  command
      ->add_flag_callback(
          "--offline", [options] { options->connect = false; },
          "Ask no database server (as when the output goes elsewhere)")
      ->excludes(connect);
  command->add_flag("--json", options->json, "All of it as JSON");
  command->footer(
      "Exit status: 0 nothing is wrong, 1 warnings only, 2 errors.\n"
      "Example: proxymux check --connect -c /etc/postfix");
  command->callback([options, status] { *status = Check(*options, std::cout); });
}

}  // namespace proxymux::proxy
