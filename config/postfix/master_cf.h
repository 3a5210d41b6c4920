// The services of a master.cf (master(5)): which names there are, what runs behind them, and with
// which settings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/values/diagnostic.h"

namespace proxymux::config {

// `-o name=value`, or `-o { name = value }`: a setting of main.cf for one service.
struct MasterOverride {
  std::string name;
  std::string value;  // not expanded
  int line = 0;

  friend bool operator==(const MasterOverride&, const MasterOverride&) = default;
};

struct MasterService {
  std::string name;  // "proxymap", "127.0.0.1:25"
  std::string type;  // "unix", "inet", ...
  // As written, or "-" for the default.
  std::string private_;  // y: its socket is for Postfix alone
  std::string unprivileged;
  std::string chroot;
  std::string wakeup;
  std::string process_limit;
  std::string command;
  std::string arguments;                  // of the command, as written
  std::vector<MasterOverride> overrides;  // in their order; the last one of a name counts
  int line = 0;                           // where its logical line begins
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
