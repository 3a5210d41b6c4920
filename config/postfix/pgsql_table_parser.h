// A pgsql_table(5) configuration -> TableConfig.
//
// Knows which settings there are, what they may be and what they are when absent; which release
// reads which (`version`); and how a query is made of the older settings. Does not look into the
// query and result templates, nor into hosts: the pgsql room compiles those.
// An error breaks this table and no other; unlike stock, which ends the process.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/postfix/main_cf.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"
#include "config/values/table_config.h"

namespace proxymux::config {

struct ParsedTable {
  std::optional<TableConfig> table;  // nothing when `diagnostics` holds an error
  std::vector<Diagnostic> diagnostics;
  // Where the values stand of the settings that count; that of `query` also when it is made of the
  // older settings.
  std::map<std::string, TextPlace, std::less<>> places;

  // The line of that byte of a value; 0: the setting is not there.
  int LineOf(std::string_view setting, std::size_t offset = 0) const;
};

// The text of a table file; `file` is only for the diagnostics.
ParsedTable ParsePgsqlTable(std::string_view text, const std::string& file,
                            const MailVersion& version);

// A table `pgsql:NAME` whose settings stand in main.cf as NAME_hosts, NAME_query, ... . `main_cf`
// holds every setting of main.cf with its value expanded and its line (ReadMainCf in postconf.h).
ParsedTable ParsePgsqlTableInMainCf(const std::string& name,
                                    const std::vector<MainCfSetting>& main_cf,
                                    const std::string& file, const MailVersion& version);

}  // namespace proxymux::config
