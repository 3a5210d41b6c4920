// What came of reading proxymux.yaml: values that can be used in any case, and what was wrong.
//
// With errors in it a LoadedConfig is still usable, for a start that must serve mail: whatever was
// wrong has its default, and where a default could be weaker than what was meant, the names of the
// tables and pools that must not be used are listed. At a reload a caller keeps the old
// configuration instead when HasErrors().
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/values/diagnostic.h"
#include "config/values/server_config.h"

namespace proxymux::config {

struct LoadedConfig {
  ServerConfig config;
  bool file_found = false;              // false: there is none, and every setting has its default
  std::vector<Diagnostic> diagnostics;  // in the order of the file

  std::set<std::string> broken_tables;  // "pgsql:NAME": an error in this table's section
  std::set<std::string> broken_pools;   // display names: an error in this pool's section
  bool all_tables_broken = false;       // an error that could have weakened every pool
  std::string all_tables_broken_reason;

  bool HasErrors() const { return config::HasErrors(diagnostics); }
};

}  // namespace proxymux::config
