#include "config/postfix/postconf.h"

#include <optional>
#include <utility>

#include "config/postfix/all_parameters.h"
#include "config/postfix/parameter_expansion.h"

namespace proxymux::config {
namespace {

constexpr char kPlainDollar[] = "write `$$` for a plain \"$\"";

// A parameter as main.cf, the overrides and the defaults have it, in that order of rank; asks for
// the defaults only when one is needed.
class Parameters {
 public:
  Parameters(const PostconfRequest& request, ParameterValues own,
             std::vector<Diagnostic>* diagnostics)
      : request_(request), own_(std::move(own)), diagnostics_(diagnostics) {
    // postconf expands these to nothing; without this they would be asked for among the defaults.
    own_.try_emplace("service_name", "");
    own_.try_emplace("process_name", "");
  }

  std::optional<std::string> Find(const std::string& name) {
    if (const auto at = own_.find(name); at != own_.end()) return at->second;
    if (const auto host = own_.find("myhostname"); name == "mydomain" && host != own_.end()) {
      return DomainOf(host->second);
    }
    if (!asked_) {
      asked_ = true;
      if (auto defaults = ReadDefaults(request_, diagnostics_)) {
        defaults_ = std::move(*defaults);
      } else {
        failed_ = true;
      }
    }
    const auto at = defaults_.find(name);
    if (at == defaults_.end()) return std::nullopt;
    return at->second;
  }

  ParameterExpansion Expand(const std::string& value) {
    return ExpandParameters(value, [this](const std::string& other) { return Find(other); });
  }

  bool failed() const { return failed_; }

 private:
  const PostconfRequest& request_;
  ParameterValues own_;
  ParameterValues defaults_;
  bool asked_ = false;
  bool failed_ = false;
  std::vector<Diagnostic>* diagnostics_;
};

void ReadWithoutPostconf(const PostconfRequest& request, PostconfResult* result) {
  result->used_fallback = true;
  std::vector<MainCfSetting> settings;
  if (!ReadOwnSettings(request, &settings, &result->diagnostics)) result->ok = false;
  Parameters parameters(request, LastValues(settings), &result->diagnostics);
  for (const std::string& name : request.names) {
    const std::optional<std::string> raw = parameters.Find(name);
    if (!raw) continue;
    ParameterExpansion expansion = parameters.Expand(*raw);
    const bool is_list = request.lists.contains(name);
    if (!expansion.error.empty()) {
      result->diagnostics.push_back(
          {MainCfPath(request), 0, 0, Severity::kError, name + ": " + expansion.error,
           kPlainDollar +
               std::string(is_list ? "; that element is left out" : "; it is left out")});
    }
    if (expansion.error.empty() || is_list) result->values[name] = std::move(expansion.text);
  }
  if (parameters.failed()) result->ok = false;
}

}  // namespace

PostconfResult ReadParameters(const PostconfRequest& request) {
  PostconfResult result;
  if (request.names.empty()) return result;
  std::vector<std::string> arguments = {"-c", request.config_directory, "-x"};
  for (const std::string& override : request.overrides) {
    arguments.push_back("-o");
    arguments.push_back(override);
  }
  arguments.insert(arguments.end(), request.names.begin(), request.names.end());
  const ProgramOutput output = RunPostconf(request, std::move(arguments));
  AddPostconfMessages(output.err, &result.diagnostics);
  if (output.failure.empty()) {
    result.values = ReadPostconfOutput(output.out);
    return result;
  }
  result.diagnostics.push_back(
      {request.command, 0, 0, Severity::kWarning, output.failure, "main.cf is read without it"});
  ReadWithoutPostconf(request, &result);
  return result;
}

MainCfSettings ReadMainCf(const PostconfRequest& request) {
  MainCfSettings result;
  result.file = MainCfPath(request);
  std::vector<MainCfSetting> raw;
  if (!ReadOwnSettings(request, &raw, &result.diagnostics)) result.ok = false;
  Parameters parameters(request, LastValues(raw), &result.diagnostics);
  for (const MainCfSetting& setting : raw) {
    ParameterExpansion expansion = parameters.Expand(setting.value);
    const bool as_written = expansion.text == setting.value;
    result.settings.push_back({setting.name, std::move(expansion.text), setting.line,
                               std::move(expansion.error),
                               as_written ? setting.breaks : std::vector<LineBreak>()});
  }
  if (parameters.failed()) result.ok = false;
  return result;
}

}  // namespace proxymux::config
