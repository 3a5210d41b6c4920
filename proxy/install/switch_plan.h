// What has to be changed in master.cf and main.cf so that Postfix's lookups go to this program, and
// so that they go to stock's proxymap again. Pure.
//
// Two ways (docs/migration.md): beside stock, as a service of its own that main.cf's
// proxymap_service_name names; and in stock's place, by the line `proxymap` itself, with the option
// that keeps `postfix upgrade-configuration` from adding stock's again.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/postfix/master_cf.h"

namespace proxymux::proxy {

enum class SwitchWay { kBeside, kInPlace };

// As they are now.
struct SwitchFiles {
  std::string config_directory;
  config::MasterCf master_cf;
  std::string service_name;               // main.cf's proxymap_service_name as it counts
  bool service_name_is_set = false;       // it is no default
  std::vector<config::MasterCf> backups;  // what master.cf was before, the latest first
};

// Arguments for runs of postconf(1), in their order.
using PostconfRuns = std::vector<std::vector<std::string>>;

// First master.cf, then main.cf: nobody is sent to a service that is not there yet. On the way back
// a line beside stock's stays, and has no effect any more: daemons that are at work may still ask
// there.
struct SwitchPlan {
  PostconfRuns master_cf;
  PostconfRuns main_cf;
  std::string service;  // whom lookups go to then
  bool ours = false;    // that service runs this program
  std::string note{};   // what is left for the administrator; may be empty

  bool nothing() const { return master_cf.empty() && main_cf.empty(); }
};

// The text is why it cannot be done, and what to do.
std::variant<SwitchPlan, std::string> PlanInstall(const SwitchFiles& files, SwitchWay way);
std::variant<SwitchPlan, std::string> PlanUninstall(const SwitchFiles& files);

// postconf(1) writes each option of a service on a line of its own; `postfix upgrade-configuration`
// looks for the word proxymap twice in one line (post-install). The text of master.cf with our
// option in the line that it belongs to.
std::string WithOptionInLine(std::string_view master_cf);

}  // namespace proxymux::proxy
