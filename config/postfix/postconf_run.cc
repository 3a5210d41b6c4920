#include "config/postfix/postconf_run.h"

#include <utility>

#include "config/values/hidden_text.h"

namespace proxymux::config {
namespace {

constexpr std::size_t kMostMessages = 20;
constexpr std::size_t kLongestMessage = 300;

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

}  // namespace

ProgramOutput RunPostconf(const PostconfRequest& request, std::vector<std::string> arguments) {
  ProgramRun run;
  run.arguments = {request.command};
  run.arguments.insert(run.arguments.end(), arguments.begin(), arguments.end());
  run.environment = PostfixEnvironment(request.config_directory);
  run.time_limit = request.time_limit;
  run.max_output = request.max_output;
  return RunProgram(run);
}

ParameterValues ReadPostconfOutput(std::string_view out) {
  ParameterValues values;
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

void AddPostconfMessages(std::string_view err, std::vector<Diagnostic>* diagnostics) {
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

}  // namespace proxymux::config
