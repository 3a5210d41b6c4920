#include "proxy/lookup/lookup_settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "proxy/process/postfix_settings.h"

namespace proxymux::proxy {

LookupSettings ReadLookupSettings(const std::string& config_directory, bool in_main_cf) {
  LookupSettings settings;
  settings.mail_version = {std::numeric_limits<int>::max(), 0};
  settings.main_cf_file = config_directory + "/main.cf";
  const auto without = [&](const std::string& why) {
    settings.source = "without " + settings.main_cf_file + " (" + why + "): as the newest Postfix";
    if (in_main_cf) {
      settings.error = settings.main_cf_file + ": cannot be read: " + why +
                       "; a table without a path is defined there: say where with "
                       "--config-directory, or name a table file by its path";
    }
    return settings;
  };
  if (access(settings.main_cf_file.c_str(), R_OK) != 0) return without(std::strerror(errno));

  // Any table will do here, approved or not, so the list of those that are is not wanted, nor the
  // files that it may name. With a table that is defined in main.cf on it all of main.cf is read.
  const PostfixSettingsResult read = ReadPostfixSettings(
      config_directory, {{"proxy_read_maps", in_main_cf ? "proxy:pgsql:this-one" : ""},
                         {"smtpd_restriction_classes", ""}});
  if (!read.settings.has_value()) return without(read.error);
  const PostfixSettings& postfix = *read.settings;
  settings.mail_version = postfix.mail_version;
  settings.smtputf8_enable = postfix.smtputf8_enable;
  settings.mail_owner = postfix.mail_owner;
  if (postfix.main_cf.has_value()) settings.main_cf = *postfix.main_cf;
  settings.diagnostics = postfix.diagnostics;
  settings.source = settings.main_cf_file + " (Postfix " + postfix.mail_version.ToString() +
                    ", smtputf8_enable = " + (postfix.smtputf8_enable ? "yes" : "no") + ")";
  return settings;
}

}  // namespace proxymux::proxy
