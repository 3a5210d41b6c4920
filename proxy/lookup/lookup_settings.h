// What of main.cf counts for `proxymux lookup`: some of it for every table, all of it for one that
// is defined there.
#pragma once

#include <string>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"

namespace proxymux::proxy {

struct LookupSettings {
  // Without a main.cf: those of the newest Postfix.
  config::MailVersion mail_version;
  bool smtputf8_enable = true;
  std::string mail_owner;  // who the service runs as; empty without a main.cf

  std::vector<config::MainCfSetting> main_cf;  // whole; only for a table that is defined there
  std::string main_cf_file;
  std::string source;  // for people: what was read, or why nothing was
  std::vector<config::Diagnostic> diagnostics;
  std::string error;  // set: the table cannot be looked up without main.cf
};

// `in_main_cf`: the table is defined in main.cf, which must then be readable. Blocking: runs
// postconf(1).
LookupSettings ReadLookupSettings(const std::string& config_directory, bool in_main_cf);

}  // namespace proxymux::proxy
