#include "config/postfix/all_parameters.h"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace proxymux::config {
namespace {

constexpr std::size_t kMostMainCfBytes = 8 << 20;

Diagnostic Error(const std::string& file, std::string text, std::string hint = {}) {
  return {file, 0, 0, Severity::kError, std::move(text), std::move(hint)};
}

std::optional<std::string> ReadFile(const std::string& path, std::string* error) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    *error = std::generic_category().message(errno);
    return std::nullopt;
  }
  std::string text(kMostMainCfBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    *error = "reading failed";
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostMainCfBytes) {
    *error = "larger than 8 MiB";
    return std::nullopt;
  }
  return text;
}

}  // namespace

std::string MainCfPath(const PostconfRequest& request) {
  return request.config_directory + "/main.cf";
}

bool ReadOwnSettings(const PostconfRequest& request, std::vector<MainCfSetting>* settings,
                     std::vector<Diagnostic>* diagnostics) {
  const std::string path = MainCfPath(request);
  std::string error;
  const std::optional<std::string> text = ReadFile(path, &error);
  if (text) {
    MainCf main_cf = ParseMainCf(*text, path);
    *settings = std::move(main_cf.settings);
    for (Diagnostic& diagnostic : main_cf.diagnostics) {
      diagnostics->push_back(std::move(diagnostic));
    }
  } else {
    diagnostics->push_back(Error(path, "cannot be read: " + error));
  }
  for (const std::string& override : request.overrides) {
    MainCf parsed = ParseMainCf(override, "-o");
    for (MainCfSetting& setting : parsed.settings) {
      settings->push_back({std::move(setting.name), std::move(setting.value), 0});
    }
    for (Diagnostic& diagnostic : parsed.diagnostics) {
      diagnostic.line = 0;
      diagnostics->push_back(std::move(diagnostic));
    }
  }
  return text.has_value();
}

std::optional<ParameterValues> ReadDefaults(const PostconfRequest& request,
                                            std::vector<Diagnostic>* diagnostics) {
  const ProgramOutput output = RunPostconf(request, {"-c", request.config_directory, "-d"});
  if (!output.failure.empty()) {
    AddPostconfMessages(output.err, diagnostics);
    diagnostics->push_back(Error(request.command, "-d: " + output.failure,
                                 "the built-in defaults of Postfix are not known"));
    return std::nullopt;
  }
  return ReadPostconfOutput(output.out);
}

std::string DomainOf(const std::string& myhostname) {
  const std::size_t dot = myhostname.find('.');
  return dot == std::string::npos ? "localdomain" : myhostname.substr(dot + 1);
}

ParameterExpansion AllParameters::Expand(const std::string& value,
                                         const ParameterValues& own) const {
  return ExpandParameters(value, [&](const std::string& name) -> std::optional<std::string> {
    if (const auto at = own.find(name); at != own.end()) return at->second;
    if (const auto at = values.find(name); at != values.end()) return at->second;
    return std::nullopt;
  });
}

AllParameters ReadAllParameters(const PostconfRequest& request) {
  AllParameters result;
  ReadOwnSettings(request, &result.main_cf, &result.diagnostics);
  result.values = LastValues(result.main_cf);
  if (const auto host = result.values.find("myhostname"); host != result.values.end()) {
    result.values.try_emplace("mydomain", DomainOf(host->second));
  }
  if (const auto defaults = ReadDefaults(request, &result.diagnostics)) {
    for (const auto& [name, value] : *defaults) {
      result.built_in.insert(name);
      result.values.try_emplace(name, value);
    }
  }
  return result;
}

}  // namespace proxymux::config
