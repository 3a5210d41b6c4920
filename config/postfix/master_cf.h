// The services of a master.cf (master(5)): which names there are, and what runs behind them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::config {

struct MasterService {
  std::string name;  // "proxymap", "127.0.0.1:25"
  std::string type;  // "unix", "inet", ...
  std::string command;
  int line = 0;  // where its logical line begins
};

struct MasterCf {
  std::string file;
  std::vector<MasterService> services;  // in the file's order, repeated names kept
  // What `postfix upgrade-configuration` looks for, line by line, before it adds stock's proxymap.
  bool names_stock_proxymap = false;
  std::vector<Diagnostic> diagnostics;  // lines that are no service

  // The line that counts for a name and type, as for master(8): the last one. Null: there is none.
  const MasterService* InForce(const std::string& name, const std::string& type) const;
};

// `file` is only for the diagnostics.
MasterCf ParseMasterCf(std::string_view text, const std::string& file);

}  // namespace proxymux::config
