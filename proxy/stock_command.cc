#include "proxy/stock_command.h"

#include <unistd.h>

#include <string_view>

#include <cstdio>

namespace proxymux::proxy {

namespace {

// What master(8) lets through by default (import_environment) or sets itself.
constexpr const char* kPassedOn[] = {"MAIL_CONFIG", "MAIL_LOGTAG",     "MAIL_DEBUG",
                                     "TZ",          "POSTLOG_SERVICE", "POSTLOG_HOSTNAME",
                                     "XAUTHORITY",  "DISPLAY",         "LANG"};

std::string ReadMaps(const std::vector<std::string>& approved) {
  std::string value = "proxy_read_maps=";
  bool first = true;
  for (const std::string& table : approved) {
    if (!first) value += ' ';
    first = false;
    value += "proxy:";
    for (const char c : table) {
      if (c == '$') value += '$';  // stock expands the value
      value += c;
    }
  }
  return value;
}

}  // namespace

StockCommand MakeStockCommand(const StockLaunch& launch) {
  StockCommand command;
  command.arguments = {"proxymap", "-l", "-t", "unix"};
  for (int i = 0; i < launch.verbosity; ++i) command.arguments.push_back("-v");
  for (const std::string& setting : launch.overrides) {
    command.arguments.push_back("-o");
    command.arguments.push_back(setting);
  }
  // Last, so that it counts: what we approve is made from the overrides already.
  command.arguments.push_back("-o");
  command.arguments.push_back(ReadMaps(launch.approved));

  for (const char* name : kPassedOn) {
    if (const auto found = launch.environment.find(name); found != launch.environment.end()) {
      command.environment.push_back(found->first + "=" + found->second);
    }
  }
  char generation[16];
  std::snprintf(generation, sizeof generation, "%o", launch.generation);
  command.environment.push_back(std::string("GENERATION=") + generation);
  return command;
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

}  // namespace proxymux::proxy
