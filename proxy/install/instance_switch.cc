#include "proxy/install/instance_switch.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <istream>
#include <ostream>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "config/postfix/list_elements.h"
#include "config/postfix/main_cf.h"
#include "config/postfix/master_cf.h"
#include "config/values/diagnostic.h"
#include "config/values/mail_version.h"
#include "protocol/dialect.h"
#include "proxy/install/switch_conditions.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_lines.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr char kProgram[] = "proxymux";
constexpr char kServiceName[] = "proxymap_service_name";

// One of those that proxy_read_maps names: of ours, if there is one.
std::string ApprovedTable(std::string_view proxy_read_maps) {
  constexpr std::string_view kProxy = "proxy:";
  std::string table = "pgsql:none";
  bool found = false;
  for (std::string_view each = config::NextElement(&proxy_read_maps); !each.empty();
       each = config::NextElement(&proxy_read_maps)) {
    if (!each.starts_with(kProxy)) continue;
    each.remove_prefix(kProxy.size());
    if (each.starts_with("pgsql:")) return std::string(each);
    if (!std::exchange(found, true)) table = each;
  }
  return table;
}

}  // namespace

InstanceSwitch::InstanceSwitch(const SwitchOptions& options, std::string config_directory,
                               std::istream* in, std::ostream* out, std::ostream* err)
    : options_(options),
      config_directory_(std::move(config_directory)),
      in_(in),
      out_(out),
      err_(err) {}

int InstanceSwitch::Install() {
  if (!Read()) return kSwitchFailed;
  const auto planner = [this](const SwitchFiles& files) {
    return PlanInstall(files, options_.way);
  };
  const Planned made = planner(files_);
  const auto* plan = std::get_if<SwitchPlan>(&made);
  if (plan == nullptr) {
    Fail(std::get<std::string>(made));
    return kSwitchFailed;
  }
  auto problem = ProgramProblem(config_directory_, Value("daemon_directory") + "/" + kProgram);
  if (!problem.has_value() && !plan->nothing()) {
    problem = CheckProblem(config_directory_, options_.offline, out_, err_);
  }
  if (!problem.has_value()) return Change(*plan, planner);
  Fail(*problem);
  return kSwitchFailed;
}

int InstanceSwitch::Uninstall() {
  if (!Read()) return kSwitchFailed;
  const Planned made = PlanUninstall(files_);
  if (const auto* plan = std::get_if<SwitchPlan>(&made)) return Change(*plan, PlanUninstall);
  Fail(std::get<std::string>(made));
  return kSwitchFailed;
}

bool InstanceSwitch::Fail(const std::string& text) {
  *err_ << kProgram << ": " << text << "\n";
  return false;
}

bool InstanceSwitch::Read() {
  if (!lock_.Take(config_directory_)) {
    return Fail(config_directory_ + ": " +
                (errno == EWOULDBLOCK ? "another `proxymux install` or `uninstall` is at work there"
                                      : std::strerror(errno)));
  }
  if (const auto problem = main_cf_.Read(config_directory_ + "/main.cf")) return Fail(*problem);
  if (const auto problem = master_cf_.Read(config_directory_ + "/master.cf")) {
    return Fail(*problem);
  }
  config::PostconfRequest request;
  request.command = CommandDirectory(config_directory_) + "/postconf";
  request.config_directory = config_directory_;
  parameters_ = config::ReadAllParameters(request);
  files_.config_directory = config_directory_;
  files_.master_cf = config::ParseMasterCf(master_cf_.text(), master_cf_.path());
  files_.service_name = Value(kServiceName);
  if (files_.service_name.empty()) {
    std::string why = main_cf_.path() + ": " + kServiceName + " is not known";
    for (const config::Diagnostic& diagnostic : parameters_.diagnostics) {
      why += "\n" + diagnostic.ToString();
    }
    return Fail(why);
  }
  files_.service_name_is_set = std::ranges::any_of(
      parameters_.main_cf,
      [](const config::MainCfSetting& setting) { return setting.name == kServiceName; });
  for (const std::string& kept : KeptCopies(master_cf_.path())) {
    std::string error;
    if (const auto before = ReadTextFile(kept, &error)) {
      files_.backups.push_back(config::ParseMasterCf(*before, kept));
    }
  }
  postfix_.emplace(Places());
  return true;
}

std::string InstanceSwitch::Value(const std::string& name) const {
  const auto at = parameters_.values.find(name);
  return at == parameters_.values.end() ? std::string() : parameters_.Expand(at->second).text;
}

PostfixPlaces InstanceSwitch::Places() const {
  PostfixPlaces places;
  places.config_directory = config_directory_;
  places.command_directory = CommandDirectory(config_directory_);
  places.queue_directory = Value("queue_directory");
  places.program = kProgram;
  places.table = ApprovedTable(Value("proxy_read_maps"));
  if (const auto version = config::ParseMailVersion(Value("mail_version"))) {
    places.dialect = protocol::DialectOfRelease(version->major, version->minor);
  }
  return places;
}

int InstanceSwitch::Change(const SwitchPlan& plan, const Planner& planner) {
  if (plan.nothing()) return Confirm(plan);
  PostconfRuns runs = plan.master_cf;
  runs.insert(runs.end(), plan.main_cf.begin(), plan.main_cf.end());
  const auto staged = StageEdit(main_cf_, master_cf_, runs, CommandDirectory(config_directory_));
  if (const auto* problem = std::get_if<std::string>(&staged)) {
    Fail(*problem);
    return kSwitchFailed;
  }
  const auto& edit = std::get<StagedEdit>(staged);
  if (!DoesWhatIsWanted(edit, plan, planner)) {
    Fail("postconf did not make of " + config_directory_ +
         " what it was told to, and nothing was changed:\n" + edit.difference);
    return kSwitchFailed;
  }
  *out_ << edit.difference;
  if (!IsWanted("Change " + config_directory_ + " so?")) return kSwitchNotWanted;
  if (!Apply(edit, plan)) return kSwitchFailed;
  *out_ << config_directory_ << ": done" << (postfix_->Runs() ? "" : "; Postfix does not run")
        << "\n"
        << plan.note;
  return kSwitchDone;
}

// The files are as they are wanted. A run that was interrupted may have left them so before a
// reload.
int InstanceSwitch::Confirm(const SwitchPlan& plan) {
  if (RunsAsWritten(plan)) {
    *out_ << config_directory_ << ": nothing is to be done\n" << plan.note;
    return kSwitchDone;
  }
  *out_ << config_directory_ << ": the files are so, and what runs is not yet\n";
  if (!IsWanted("Reload Postfix?")) return kSwitchNotWanted;
  if (!Reload() || !ServesSoon(plan)) return kSwitchFailed;
  *out_ << config_directory_ << ": done\n" << plan.note;
  return kSwitchDone;
}

// postconf(1) is a program of many releases: what it made is planned for once more.
bool InstanceSwitch::DoesWhatIsWanted(const StagedEdit& edit, const SwitchPlan& plan,
                                      const Planner& planner) const {
  SwitchFiles files = files_;
  files.master_cf = config::ParseMasterCf(edit.master_cf, master_cf_.path());
  if (!plan.main_cf.empty()) {
    const auto settings = config::LastValues(config::ParseMainCf(edit.main_cf, "").settings);
    const auto set = settings.find(kServiceName);
    files.service_name_is_set = set != settings.end();
    files.service_name = files.service_name_is_set ? set->second : "proxymap";
  }
  const Planned again = planner(files);
  const auto* left = std::get_if<SwitchPlan>(&again);
  return left != nullptr && left->nothing();
}

// First the service, then those who are sent there.
bool InstanceSwitch::Apply(const StagedEdit& edit, const SwitchPlan& plan) {
  const std::string main_cf = main_cf_.text(), master_cf = master_cf_.text();
  for (const ConfigFile* file : {&main_cf_, &master_cf_}) {
    if (const auto problem = file->Changed()) return Fail(*problem + "; nothing was changed");
  }
  bool good = Put(&master_cf_, edit.master_cf);
  // A run that was interrupted may have put it there, and not reloaded.
  if (good && master_cf_.text() == master_cf && !RunsAsWritten(plan)) good = Reload();
  // The way back does not end at a service that does not answer: it leads away from one.
  good = good && (ServesSoon(plan) || !plan.ours) && Put(&main_cf_, edit.main_cf);
  return good || TakeBack(main_cf, master_cf);
}

bool InstanceSwitch::Put(ConfigFile* file, const std::string& text) {
  if (file->text() == text) return true;
  if (const auto problem = file->Keep()) return Fail(*problem);
  *out_ << "as it was: " << file->kept() << "\n" << std::flush;
  if (const auto problem = file->Replace(text)) return Fail(*problem);
  return Reload();
}

// Always false: it is how something has failed. Nobody is sent to a service that goes.
bool InstanceSwitch::TakeBack(const std::string& main_cf, const std::string& master_cf) {
  bool changed = false;
  const std::pair<ConfigFile*, const std::string*> before[] = {{&main_cf_, &main_cf},
                                                               {&master_cf_, &master_cf}};
  for (const auto& [file, text] : before) {
    if (file->text() == *text) continue;
    changed = true;
    if (const auto problem = file->Replace(*text)) {
      Fail(*problem);
      return Fail("to go back, compare " + file->path() + " with " + file->kept() +
                  ", and then: postfix -c " + config_directory_ + " reload");
    }
    if (!Reload()) {
      return Fail("the files are as they were; then: postfix -c " + config_directory_ + " reload");
    }
  }
  if (!changed) return Fail("nothing was changed");
  Fail("main.cf and master.cf are as they were, and Postfix was told");
  if (postfix_->ServesSoon(files_.service_name, /*ours=*/false)) return false;
  return Fail("the service " + files_.service_name +
              " does not answer yet: master(8) starts it again after service_throttle_time");
}

bool InstanceSwitch::ServesSoon(const SwitchPlan& plan) {
  if (postfix_->ServesSoon(plan.service, plan.ours)) return true;
  return Fail("the service " + plan.service + " does not answer: see the mail log");
}

// Whether Postfix has read main.cf since it was changed is not seen.
bool InstanceSwitch::RunsAsWritten(const SwitchPlan& plan) const {
  std::set<std::string> written;
  for (const config::MasterService* service : OurServices(files_.master_cf)) {
    written.insert(service->name);
  }
  return postfix_->RunsOnly(written, plan.service, plan.ours);
}

bool InstanceSwitch::IsWanted(const std::string& question) {
  if (options_.yes) return true;
  if (in_ == nullptr) {
    *out_ << config_directory_ << ": nothing was changed; --yes does it\n";
    return false;
  }
  *out_ << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(*in_, answer);
  std::ranges::transform(answer, answer.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (answer == "y" || answer == "yes") return true;
  *out_ << "nothing was changed\n";
  return false;
}

bool InstanceSwitch::Reload() {
  const auto problem = postfix_->Reload();
  return !problem.has_value() || Fail(*problem);
}

}  // namespace proxymux::proxy
