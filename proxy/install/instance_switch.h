// One instance of Postfix sent to this program, or back to stock: `check`, the difference, the
// question, the changes in their order, and `postfix reload`. What cannot be done to its end is
// taken back.
//
// Blocking: runs programs. Says what it does on `out`, and what is wrong on `err`. Root only.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

#include "config/postfix/all_parameters.h"
#include "proxy/install/config_file.h"
#include "proxy/install/run_lock.h"
#include "proxy/install/running_postfix.h"
#include "proxy/install/staged_edit.h"
#include "proxy/install/switch_plan.h"

namespace proxymux::proxy {

struct SwitchOptions {
  SwitchWay way = SwitchWay::kBeside;
  bool offline = false;  // `check` asks no server
  bool yes = false;      // nobody is asked
};

// Exit statuses of the commands.
inline constexpr int kSwitchDone = 0, kSwitchNotWanted = 1, kSwitchFailed = 2;

class InstanceSwitch {
 public:
  // An absolute directory. `in`: where the answer comes from; null: nobody is there.
  InstanceSwitch(const SwitchOptions& options, std::string config_directory, std::istream* in,
                 std::ostream* out, std::ostream* err);

  // Each gives the exit status.
  int Install();
  int Uninstall();

 private:
  using Planned = std::variant<SwitchPlan, std::string>;
  using Planner = std::function<Planned(const SwitchFiles&)>;

  bool Fail(const std::string& text);
  bool Read();
  std::string Value(const std::string& parameter) const;  // expanded
  PostfixPlaces Places() const;
  int Change(const SwitchPlan& plan, const Planner& planner);
  int Confirm(const SwitchPlan& plan);
  bool DoesWhatIsWanted(const StagedEdit& edit, const SwitchPlan& plan,
                        const Planner& planner) const;
  bool IsWanted(const std::string& question);
  bool Apply(const StagedEdit& edit, const SwitchPlan& plan);
  bool Put(ConfigFile* file, const std::string& text);
  bool TakeBack(const std::string& main_cf, const std::string& master_cf);
  bool RunsAsWritten(const SwitchPlan& plan) const;
  bool ServesSoon(const SwitchPlan& plan);
  bool Reload();

  RunLock lock_;
  const SwitchOptions options_;
  const std::string config_directory_;
  std::istream* const in_;
  std::ostream* const out_;
  std::ostream* const err_;
  ConfigFile main_cf_;
  ConfigFile master_cf_;
  config::AllParameters parameters_;
  SwitchFiles files_;
  std::optional<RunningPostfix> postfix_;  // from Read() on
};

}  // namespace proxymux::proxy
