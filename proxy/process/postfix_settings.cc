#include "proxy/process/postfix_settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "config/postfix/postconf.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr char kDefaultCommandDirectory[] = "/usr/sbin";

constexpr long kLongestTime = 2147483647;  // Postfix keeps times in an int

// A time of main.cf: a number and perhaps a unit, s when there is none (postconf(5)).
std::optional<std::chrono::seconds> ParseTime(const std::string& text) {
  char* end = nullptr;
  const long number = std::strtol(text.c_str(), &end, 10);
  if (end == text.c_str() || number < 0 || number > kLongestTime) return std::nullopt;
  const std::string unit = end;
  const std::map<std::string, long> units = {{"", 1},     {"s", 1},     {"m", 60},
                                             {"h", 3600}, {"d", 86400}, {"w", 604800}};
  const auto found = units.find(unit);
  if (found == units.end()) return std::nullopt;
  return std::chrono::seconds(std::min(number * found->second, kLongestTime));
}

// A yes or no of main.cf, in any case (postconf(1) gives it as written).
bool IsYes(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "yes";
}

}  // namespace

// Where postconf is can stand in main.cf only; reading it through postconf would need to know that
// first.
std::string CommandDirectory(const std::string& config_directory) {
  std::string error;
  const auto text = ReadTextFile(config_directory + "/main.cf", &error);
  if (!text.has_value()) return kDefaultCommandDirectory;
  const auto values =
      config::LastValues(config::ParseMainCf(*text, config_directory + "/main.cf").settings);
  const auto found = values.find("command_directory");
  const bool plain = found != values.end() && found->second.starts_with('/') &&
                     found->second.find('$') == std::string::npos;
  return plain ? found->second : kDefaultCommandDirectory;
}

std::optional<config::MailVersion> ReadMailVersion(const std::string& config_directory) {
  config::PostconfRequest request;
  request.command = CommandDirectory(config_directory) + "/postconf";
  request.config_directory = config_directory;
  request.names = {"mail_version"};
  const config::PostconfResult read = config::ReadParameters(request);
  const auto found = read.values.find("mail_version");
  if (found == read.values.end()) return std::nullopt;
  return config::ParseMailVersion(found->second);
}

PostfixSettingsResult ReadPostfixSettings(
    const std::string& config_directory,
    const std::vector<std::pair<std::string, std::string>>& overrides) {
  config::PostconfRequest request;
  request.command = CommandDirectory(config_directory) + "/postconf";
  request.config_directory = config_directory;
  request.names = {"queue_directory",   "data_directory",
                   "daemon_directory",  "mail_owner",
                   "syslog_name",       "syslog_facility",
                   "maillog_file",      "postlog_service_name",
                   "myhostname",        "mail_version",
                   "smtputf8_enable",   "daemon_timeout",
                   "proxy_read_maps",   "smtpd_restriction_classes",
                   "import_environment"};
  request.lists = {"proxy_read_maps", "smtpd_restriction_classes"};
  for (const auto& [name, value] : overrides) request.overrides.push_back(name + "=" + value);

  config::PostconfResult read = config::ReadParameters(request);
  PostfixSettingsResult result;
  if (!read.ok) {
    result.error = "no configuration can be read from " + config_directory;
    for (const config::Diagnostic& diagnostic : read.diagnostics) {
      result.error += "; " + diagnostic.ToString();
    }
    return result;
  }
  const auto value = [&read](const char* name) {
    const auto found = read.values.find(name);
    return found == read.values.end() ? std::string() : found->second;
  };

  PostfixSettings settings;
  settings.config_directory = config_directory;
  settings.queue_directory = value("queue_directory");
  settings.data_directory = value("data_directory");
  settings.daemon_directory = value("daemon_directory");
  settings.mail_owner = value("mail_owner");
  settings.syslog_name = value("syslog_name");
  settings.syslog_facility = value("syslog_facility");
  settings.maillog_file = value("maillog_file");
  settings.postlog_service_name = value("postlog_service_name");
  settings.myhostname = value("myhostname");
  settings.smtputf8_enable = IsYes(value("smtputf8_enable"));
  settings.import_environment = value("import_environment");
  settings.proxy_read_maps = value("proxy_read_maps");
  settings.diagnostics = std::move(read.diagnostics);
  settings.used_fallback = read.used_fallback;
  if (const auto version = config::ParseMailVersion(value("mail_version"))) {
    settings.mail_version = *version;
  }
  if (const auto timeout = ParseTime(value("daemon_timeout")); timeout && timeout->count() > 0) {
    settings.daemon_timeout = *timeout;
  }

  config::ApprovalSources sources;
  sources.proxy_read_maps = settings.proxy_read_maps;
  sources.smtpd_restriction_classes = value("smtpd_restriction_classes");
  sources.read_file = ReadTextFile;
  std::optional<config::MainCfSettings> main_cf;
  const auto whole_main_cf = [&]() -> const config::MainCfSettings& {
    if (!main_cf.has_value()) main_cf = config::ReadMainCf(request);
    return *main_cf;
  };
  sources.parameter = [&](const std::string& name) -> std::optional<std::string> {
    const auto& all = whole_main_cf().settings;
    const auto last = std::find_if(all.rbegin(), all.rend(),
                                   [&](const auto& setting) { return setting.name == name; });
    if (last == all.rend()) return std::nullopt;
    if (!last->fault.empty()) {
      settings.diagnostics.push_back({config_directory + "/main.cf", last->line, 0,
                                      config::Severity::kError, name + ": " + last->fault,
                                      "write `$$` for a plain \"$\"; that element is left out"});
    }
    return last->value;
  };
  settings.approved = config::ReadApprovedTables(sources);
  for (const config::Diagnostic& diagnostic : settings.approved.diagnostics) {
    settings.diagnostics.push_back(diagnostic);
  }

  const bool defined_in_main_cf = std::any_of(
      settings.approved.tables.begin(), settings.approved.tables.end(), [](const auto& table) {
        constexpr std::string_view kType = "pgsql:";
        return table.starts_with(kType) && table.size() > kType.size() &&
               table[kType.size()] != '/' && table[kType.size()] != '.';
      });
  if (defined_in_main_cf) settings.main_cf = whole_main_cf().settings;
  settings.main_cf_file = config_directory + "/main.cf";
  result.settings = std::move(settings);
  return result;
}

}  // namespace proxymux::proxy
