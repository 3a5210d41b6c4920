#include "proxy/relay/stock_command.h"

#include <cstdio>
#include <string_view>

#include "protocol/table_name.h"

namespace proxymux::proxy {

namespace {

using Words = std::vector<std::string>;

// What master(8) lets through by default (import_environment) or sets itself.
constexpr const char* kPassedOn[] = {"MAIL_CONFIG", "MAIL_LOGTAG",     "MAIL_DEBUG",
                                     "TZ",          "POSTLOG_SERVICE", "POSTLOG_HOSTNAME",
                                     "XAUTHORITY",  "DISPLAY",         "LANG"};

// execve(2) takes no argument longer than 128 KiB.
constexpr std::size_t kLongestValue = 100 << 10;

std::string ReadMaps(const std::vector<std::string>& approved) {
  std::string value;
  for (const std::string& table : approved) {
    if (!value.empty()) value += ' ';
    value += protocol::kProxyPrefix;
    for (const char c : table) {
      if (c == '$') value += '$';  // stock expands the value
      value += c;
    }
  }
  return value;
}

// Where the front part of a value that is too long ends. Blanks at the ends of a value are lost,
// and a `$` belongs to what follows.
std::size_t PartEnd(std::string_view value) {
  if (value.size() <= kLongestValue) return value.size();
  const auto inner = [](char c) { return c != ' ' && c != '\t' && c != '$'; };
  std::size_t end = kLongestValue;
  while (end > 1 && !(inner(value[end - 1]) && inner(value[end]))) --end;
  return end > 1 ? end : kLongestValue;
}

void AddSetting(const std::string& name, std::string_view value, Words* arguments) {
  arguments->push_back("-o");
  arguments->push_back(name + "=" + std::string(value));
}

// A value that does not fit goes in parts, as parameters of our own that it refers to.
void AddLongSetting(const std::string& name, std::string_view value, Words* arguments) {
  if (value.size() <= kLongestValue) {
    AddSetting(name, value, arguments);
    return;
  }
  std::string whole;
  for (int part = 1; !value.empty(); ++part) {
    const std::string part_name = "proxymux_" + name + "_" + std::to_string(part);
    const std::size_t end = PartEnd(value);
    AddSetting(part_name, value.substr(0, end), arguments);
    value.remove_prefix(end);
    whole += "${" + part_name + "}";
  }
  AddSetting(name, whole, arguments);
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
  AddLongSetting("proxy_read_maps", ReadMaps(launch.approved), &command.arguments);

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

}  // namespace proxymux::proxy
