#include "config/postfix/postconf.h"

#include <cerrno>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "config/postfix/parameter_expansion.h"
#include "config/postfix/program_output.h"
#include "config/values/hidden_text.h"

namespace proxymux::config {
namespace {

using Values = std::map<std::string, std::string>;

constexpr char kPlainDollar[] = "write `$$` for a plain \"$\"";
constexpr std::size_t kMostMainCfBytes = 8 << 20;
constexpr std::size_t kMostMessages = 20;
constexpr std::size_t kLongestMessage = 300;

Diagnostic Error(const std::string& file, std::string text, std::string hint = {}) {
  return {file, 0, 0, Severity::kError, std::move(text), std::move(hint)};
}

std::string MainCfPath(const PostconfRequest& request) {
  return request.config_directory + "/main.cf";
}

ProgramOutput Run(const PostconfRequest& request, std::vector<std::string> arguments) {
  ProgramRun run;
  run.arguments = {request.command};
  run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
  run.environment = {"LANG=C", "PATH=/usr/bin:/usr/sbin:/bin:/sbin",
                     "MAIL_CONFIG=" + request.config_directory};
  run.time_limit = request.time_limit;
  run.max_output = request.max_output;
  return RunProgram(run);
}

// `name = value` lines. A name without a value is written as `name =`.
Values ReadOutput(std::string_view out) {
  Values values;
  while (!out.empty()) {
    const std::size_t end = out.find('\n');
    const std::string_view line = out.substr(0, end);
    out.remove_prefix(end == std::string_view::npos ? out.size() : end + 1);
    const std::size_t equals = line.find(" =");
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string_view value = line.substr(equals + 2);
    if (value.starts_with(' ')) value.remove_prefix(1);
    values[std::string(line.substr(0, equals))] = std::string(value);
  }
  return values;
}

// A line of a program's for a log or a terminal: short, and without control characters. Of a
// message about a line of a file that line is left out: in a table's file it may be the password.
std::string Presentable(std::string_view line) {
  std::string text(line.substr(0, kLongestMessage));
  const std::size_t quote = text.find("\"", text.find(", line "));
  if (text.find(", line ") != std::string::npos && quote != std::string::npos) {
    text.replace(quote, std::string::npos, "(not shown: it may hold a password)");
  } else if (text.size() < line.size()) {
    while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();  // of a UTF-8 character
    if (!text.empty() && (text.back() & 0x80) != 0) text.pop_back();
    text += "...";
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

// A line of postconf's, without what may be a password: it quotes the whole value of a parameter
// whose "$" it does not understand.
std::string Shown(std::string_view line) {
  const std::size_t quoted = line.find(": \"");
  if (quoted != std::string_view::npos && line.find("macro") < quoted) {
    return std::string(line.substr(0, quoted)) + " (in a value that is not shown)";
  }
  return WithoutSecrets(line);
}

// What postconf wrote to standard error, without what it says about names that it does not know:
// ours, and those of tables in main.cf, are known to others.
void AddMessages(std::string_view err, std::vector<Diagnostic>* diagnostics) {
  std::size_t added = 0;
  while (!err.empty() && added < kMostMessages) {
    const std::size_t end = err.find('\n');
    std::string_view line = err.substr(0, end);
    err.remove_prefix(end == std::string_view::npos ? err.size() : end + 1);
    if (line.empty() || line.find("unused parameter") != std::string_view::npos ||
        line.find("unknown parameter") != std::string_view::npos ||
        line.find("undefined parameter") != std::string_view::npos) {
      continue;
    }
    for (const std::string_view prefix : {"postconf: ", "warning: "}) {
      if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    }
    diagnostics->push_back({"postconf", 0, 0, Severity::kWarning, Presentable(Shown(line)), ""});
    ++added;
  }
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

// main.cf as written, with the overrides behind it. False when main.cf cannot be read; the
// overrides are there in any case.
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

// The built-in defaults, not expanded. With their help any value can be expanded.
std::optional<Values> ReadDefaults(const PostconfRequest& request,
                                   std::vector<Diagnostic>* diagnostics) {
  const ProgramOutput output = Run(request, {"-c", request.config_directory, "-d"});
  if (!output.failure.empty()) {
    AddMessages(output.err, diagnostics);
    diagnostics->push_back(Error(request.command, "-d: " + output.failure,
                                 "the built-in defaults of Postfix are not known"));
    return std::nullopt;
  }
  return ReadOutput(output.out);
}

// A parameter as main.cf, the overrides and the defaults have it, in that order of rank; asks for
// the defaults only when one is needed.
class Parameters {
 public:
  Parameters(const PostconfRequest& request, Values own, std::vector<Diagnostic>* diagnostics)
      : request_(request), own_(std::move(own)), diagnostics_(diagnostics) {
    // postconf expands these to nothing; without this they would be asked for among the defaults.
    own_.try_emplace("service_name", "");
    own_.try_emplace("process_name", "");
  }

  std::optional<std::string> Find(const std::string& name) {
    if (const auto at = own_.find(name); at != own_.end()) return at->second;
    // postconf(5), mydomain: $myhostname without its first label. `postconf -d` takes that of the
    // machine, whatever main.cf says.
    if (const auto host = own_.find("myhostname"); name == "mydomain" && host != own_.end()) {
      const std::size_t dot = host->second.find('.');
      return dot == std::string::npos ? "localdomain" : host->second.substr(dot + 1);
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
  Values own_;
  Values defaults_;
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
      result->diagnostics.push_back(Error(
          MainCfPath(request), name + ": " + expansion.error,
          kPlainDollar + std::string(is_list ? "; that element is left out" : "; it is left out")));
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
  const ProgramOutput output = Run(request, std::move(arguments));
  AddMessages(output.err, &result.diagnostics);
  if (output.failure.empty()) {
    result.values = ReadOutput(output.out);
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
    result.settings.push_back(
        {setting.name, std::move(expansion.text), setting.line, std::move(expansion.error)});
  }
  if (parameters.failed()) result.ok = false;
  return result;
}

}  // namespace proxymux::config
