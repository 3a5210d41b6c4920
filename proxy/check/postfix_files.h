// main.cf and master.cf as `check` reads them: which lines run this program, and what settings
// name, also those that a service of master.cf has for itself with `-o`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/postfix/all_parameters.h"
#include "config/postfix/master_cf.h"
#include "proxy/check/findings.h"
#include "proxy/check/table_uses.h"

namespace proxymux::proxy {

class PostfixFiles {
 public:
  // Blocking: reads both, and runs postconf(1). What is wrong with master.cf becomes a finding;
  // what is wrong with main.cf, ReadPostfixSettings() tells.
  static PostfixFiles Read(const std::string& config_directory, Findings* findings);

  // What the line that runs this program overrides in main.cf; where there is none, what that of
  // stock's proxymap does, whose options `proxymux install` takes over.
  std::vector<std::pair<std::string, std::string>> OwnOverrides() const;

  // What daemons read, expanded: a setting of main.cf or of `-o` that Postfix knows, and the
  // restriction classes; then the defaults of what is not set. Others count only where these refer
  // to them.
  std::vector<NamedValue> ValuesInUse() const;
  // Whose `read` is `approved`.
  TableApprovals Approvals(config::ApprovedTables approved) const;

  // How many processes of a service of stock's master(8) runs at most; 0: no limit. The default,
  // where the service has no line, or one of ours.
  int ProcessLimit(const std::string& service) const;

 private:
  PostfixFiles(config::AllParameters parameters, std::string main_cf_file)
      : parameters_(std::move(parameters)), main_cf_file_(std::move(main_cf_file)) {}

  bool IsInUse(const std::string& name) const;
  std::string Value(const std::string& parameter) const;  // expanded; empty: there is none
  int Number(const std::string& parameter) const;         // 0: it is none

  config::AllParameters parameters_;
  std::string main_cf_file_;
  config::MasterCf master_cf_;
};

}  // namespace proxymux::proxy
