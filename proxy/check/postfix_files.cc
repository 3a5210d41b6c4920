#include "proxy/check/postfix_files.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "config/postfix/list_elements.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/service_lines.h"
#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

constexpr char kUnix[] = "unix";
constexpr char kClasses[] = "smtpd_restriction_classes";

int LeadingNumber(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What master(8) sets for each service (postconf(5), service_name).
config::ParameterValues OwnNames(const config::MasterService& service) {
  return {{"service_name", service.name}, {"process_name", service.command}};
}

}  // namespace

PostfixFiles PostfixFiles::Read(const std::string& config_directory, Findings* findings) {
  config::PostconfRequest request;
  request.command = CommandDirectory(config_directory) + "/postconf";
  request.config_directory = config_directory;
  PostfixFiles files(config::ReadAllParameters(request), config::MainCfPath(request));
  findings->Add(files.parameters_.diagnostics);

  const std::string master_cf = config_directory + "/master.cf";
  std::string error;
  const auto text = ReadTextFile(master_cf, &error);
  if (!text.has_value()) {
    findings->Warning(master_cf, 0, "cannot be read: " + error);
    return files;
  }
  files.master_cf_ = config::ParseMasterCf(*text, master_cf);
  findings->Add(files.master_cf_.diagnostics);
  // postconf(5), compatibility_level: from 1 on `-` in the field chroot means no.
  findings->Add(CheckServiceLines(files.master_cf_, files.Number("compatibility_level") < 1));
  return files;
}

std::string PostfixFiles::Value(const std::string& parameter) const {
  const auto at = parameters_.values.find(parameter);
  return at == parameters_.values.end() ? std::string() : parameters_.Expand(at->second).text;
}

int PostfixFiles::Number(const std::string& parameter) const {
  return LeadingNumber(Value(parameter));
}

TableApprovals PostfixFiles::Approvals(config::ApprovedTables approved) const {
  config::ApprovalSources sources;
  sources.proxy_read_maps = Value("proxy_write_maps");  // the grammar is the same
  sources.parameter = [](const std::string&) { return std::nullopt; };
  sources.read_file = ReadTextFile;
  return {std::move(approved), config::ReadApprovedTables(sources)};
}

std::vector<std::pair<std::string, std::string>> PostfixFiles::OwnOverrides() const {
  std::vector<std::pair<std::string, std::string>> overrides;
  const auto ours = OurServices(master_cf_);
  // Before the switch: `proxymux install` hands over what stock's line has.
  const config::MasterService* const line =
      ours.empty() ? master_cf_.InForce("proxymap", kUnix) : ours.front();
  if (line == nullptr) return overrides;
  const config::MasterService& service = *line;
  const config::ParameterValues own = OwnNames(service);
  for (const config::MasterOverride& each : service.overrides) {
    const config::ParameterExpansion expansion = parameters_.Expand(each.value, own);
    if (expansion.error.empty()) overrides.emplace_back(each.name, expansion.text);
  }
  return overrides;
}

bool PostfixFiles::IsInUse(const std::string& name) const {
  if (parameters_.built_in.contains(name)) return true;
  const std::string classes = Value(kClasses);
  std::string_view rest = classes;
  for (std::string_view each = config::NextElement(&rest); !each.empty();
       each = config::NextElement(&rest)) {
    if (each == name) return true;
  }
  return false;
}

std::vector<NamedValue> PostfixFiles::ValuesInUse() const {
  std::vector<NamedValue> values;
  std::map<std::string, const config::MainCfSetting*> last;
  for (const config::MainCfSetting& setting : parameters_.main_cf) last[setting.name] = &setting;
  for (const config::MainCfSetting& setting : parameters_.main_cf) {
    if (last.at(setting.name) != &setting || !IsInUse(setting.name)) continue;
    values.push_back({main_cf_file_, setting.line, setting.name,
                      parameters_.Expand(setting.value).text, "", false});
  }
  for (const config::MasterService& service : master_cf_.services) {
    if (master_cf_.InForce(service.name, service.type) != &service) continue;
    config::ParameterValues own = OwnNames(service);
    std::map<std::string, int> lines;
    for (const config::MasterOverride& each : service.overrides) {
      own[each.name] = each.value;
      lines[each.name] = each.line;
    }
    for (const auto& [name, line] : lines) {
      if (!IsInUse(name)) continue;
      values.push_back({master_cf_.file, line, name, parameters_.Expand(own.at(name), own).text,
                        service.name, false});
    }
  }
  for (const std::string& name : parameters_.built_in) {
    if (last.contains(name)) continue;
    values.push_back({main_cf_file_, 0, name, Value(name), "", true});
  }
  return values;
}

int PostfixFiles::ProcessLimit(const std::string& service) const {
  const config::MasterService* line = master_cf_.InForce(service, kUnix);
  const auto ours = OurServices(master_cf_);
  const bool is_ours = std::ranges::find(ours, line) != ours.end();
  if (line == nullptr || is_ours || line->process_limit == "-") {
    return Number("default_process_limit");
  }
  return LeadingNumber(line->process_limit);
}

}  // namespace proxymux::proxy
