// What main.cf says that concerns us, read through postconf(1) at the start.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/postfix/approved_tables.h"
#include "config/postfix/main_cf.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"

namespace proxymux::proxy {

struct PostfixSettings {
  std::string config_directory;
  std::string queue_directory;
  std::string data_directory;
  std::string daemon_directory;
  std::string mail_owner;
  std::string syslog_name;
  std::string syslog_facility;
  std::string maillog_file;  // empty: syslog
  std::string postlog_service_name;
  std::string myhostname;
  config::MailVersion mail_version;
  bool smtputf8_enable = true;
  std::chrono::seconds daemon_timeout{18000};
  std::string import_environment;
  std::string proxy_read_maps;  // expanded
  config::ApprovedTables approved;
  // main.cf whole, for tables that are defined in it; read only when there are any.
  std::optional<std::vector<config::MainCfSetting>> main_cf;
  std::string main_cf_file;

  std::vector<config::Diagnostic> diagnostics;
  bool used_fallback = false;  // postconf failed; see `diagnostics`
};

// Where Postfix's commands are: main.cf's command_directory, else the default.
std::string CommandDirectory(const std::string& config_directory);

// The release that is installed, as postconf(1) has it. Blocking: runs that. Nothing: it does not
// say.
std::optional<config::MailVersion> ReadMailVersion(const std::string& config_directory);

// `overrides` are those of `-o`. Blocking: runs programs. The error text says why there is no
// configuration at all.
struct PostfixSettingsResult {
  std::optional<PostfixSettings> settings;
  std::string error;
};
PostfixSettingsResult ReadPostfixSettings(
    const std::string& config_directory,
    const std::vector<std::pair<std::string, std::string>>& overrides);

}  // namespace proxymux::proxy
