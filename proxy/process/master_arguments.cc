#include "proxy/process/master_arguments.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>

namespace proxymux::proxy {
namespace {

constexpr std::string_view kWithArgument = "imnost";
constexpr std::string_view kWithoutArgument = "cdDlSuvVz";
constexpr int kMaxSocketCount = 1000;

struct CommandLineOption {
  enum class Kind { kOption, kUnknown, kMissingArgument, kOperand, kEnd };
  Kind kind = Kind::kEnd;
  char letter = 0;
  std::string_view argument;  // of an option, or the operand itself
};

// Walks a command line by the rules of getopt(3); operands may stand between options.
class OptionReader {
 public:
  explicit OptionReader(const std::vector<std::string>& argv) : argv_(argv) {}

  CommandLineOption Next() {
    if (rest_.empty()) {
      if (word_ >= argv_.size()) return {};
      const std::string_view word = argv_[word_++];
      if (options_ended_ || word.size() < 2 || word[0] != '-') {
        return {CommandLineOption::Kind::kOperand, 0, word};
      }
      if (word == "--") {
        options_ended_ = true;
        return Next();
      }
      rest_ = word.substr(1);
    }
    const char letter = rest_[0];
    rest_.remove_prefix(1);
    if (kWithoutArgument.find(letter) != std::string_view::npos) {
      return {CommandLineOption::Kind::kOption, letter, {}};
    }
    if (kWithArgument.find(letter) == std::string_view::npos) {
      return {CommandLineOption::Kind::kUnknown, letter, {}};
    }
    if (!rest_.empty()) {
      const std::string_view argument = rest_;
      rest_ = {};
      return {CommandLineOption::Kind::kOption, letter, argument};
    }
    if (word_ >= argv_.size()) return {CommandLineOption::Kind::kMissingArgument, letter, {}};
    return {CommandLineOption::Kind::kOption, letter, argv_[word_++]};
  }

 private:
  const std::vector<std::string>& argv_;
  std::size_t word_ = 1;
  std::string_view rest_;  // of a word that holds several options
  bool options_ended_ = false;
};

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

template <typename Number>
std::optional<Number> WholeNumber(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string LastComponent(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// One option's effect; the text of an error, or nothing.
std::optional<std::string> Apply(const CommandLineOption& option, MasterArguments* arguments) {
  switch (option.letter) {
    case 'c':
      return "option -c: this service cannot run in a chroot jail, since database sockets and "
             "table files are outside it; set the chroot column of its master.cf line to `n'";
    case 'd':
      arguments->daemon_mode = false;
      break;
    case 'D':
      arguments->debugger = true;
      break;
    case 'l':
      arguments->single_process = true;
      break;
    case 'n':
      arguments->service_name = option.argument;
      break;
    case 'o': {
      auto split = SplitOverride(option.argument);
      if (auto* error = std::get_if<ArgumentError>(&split)) return "option -o: " + error->text;
      arguments->overrides.push_back(
          std::get<std::pair<std::string, std::string>>(std::move(split)));
      break;
    }
    case 's': {
      const auto count = WholeNumber<int>(option.argument, 10);
      if (!count || *count < 1 || *count > kMaxSocketCount) {
        return fmt::format("option -s: bad socket count `{}': expected a number from 1 to {}",
                           option.argument, kMaxSocketCount);
      }
      arguments->socket_count = *count;
      break;
    }
    case 'S':
      arguments->client_on_stdin = true;
      break;
    case 't':
      if (option.argument != "unix") {
        return fmt::format(
            "option -t: transport `{}' is not supported; the type column of the service's "
            "master.cf line must be `unix'",
            option.argument);
      }
      break;
    case 'u':
      arguments->drop_privileges = true;
      break;
    case 'v':
      ++arguments->verbosity;
      break;
    case 'V':
      arguments->log_to_stderr = true;
      break;
    case 'z':
      arguments->unlimited = true;
      break;
    default:  // -i and -m limit a life that ends only with master's
      break;
  }
  return std::nullopt;
}

}  // namespace

bool StartedByMaster(const std::vector<std::string>& argv) {
  if (argv.size() < 2 || argv[1].size() < 2 || argv[1][0] != '-' || argv[1][1] == '-') return false;
  OptionReader reader(argv);
  for (;;) {
    const CommandLineOption option = reader.Next();
    if (option.kind == CommandLineOption::Kind::kEnd) return false;
    if (option.kind == CommandLineOption::Kind::kOption &&
        (option.letter == 't' || option.letter == 'S')) {
      return true;
    }
  }
}

std::variant<MasterArguments, ArgumentError> ParseMasterArguments(
    const std::vector<std::string>& argv) {
  MasterArguments arguments;
  if (!argv.empty()) arguments.process_name = LastComponent(argv[0]);
  if (arguments.process_name.empty()) arguments.process_name = "proxymux";

  OptionReader reader(argv);
  for (bool more = true; more;) {
    const CommandLineOption option = reader.Next();
    switch (option.kind) {
      case CommandLineOption::Kind::kEnd:
        more = false;
        break;
      case CommandLineOption::Kind::kOption:
        if (auto error = Apply(option, &arguments)) return ArgumentError{std::move(*error)};
        break;
      case CommandLineOption::Kind::kUnknown:
        return ArgumentError{
            fmt::format("unknown option -{}; see the service's master.cf line", option.letter)};
      case CommandLineOption::Kind::kMissingArgument:
        return ArgumentError{fmt::format("option -{} needs an argument", option.letter)};
      case CommandLineOption::Kind::kOperand:
        return ArgumentError{fmt::format("unexpected command-line argument `{}'", option.argument)};
    }
  }

  if (arguments.service_name.empty()) arguments.service_name = arguments.process_name;
  if (auto problem = ServiceNameProblem(arguments.service_name)) {
    return ArgumentError{std::move(*problem)};
  }
  for (auto& [name, value] : arguments.overrides) {
    value = ExpandServiceNames(value, arguments.service_name, arguments.process_name);
  }
  return arguments;
}

std::variant<std::pair<std::string, std::string>, ArgumentError> SplitOverride(
    std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return ArgumentError{fmt::format("no `=' in `{}': expected `name=value'", text)};
  }
  const std::string_view name = Trim(text.substr(0, equals));
  if (name.empty()) {
    return ArgumentError{fmt::format("no name before the `=' in `{}'", text)};
  }
  for (const char c : name) {
    if (IsSpace(c)) {
      return ArgumentError{fmt::format("white space inside the name `{}'", name)};
    }
  }
  return std::pair(std::string(name), std::string(Trim(text.substr(equals + 1))));
}

std::string ExpandServiceNames(std::string_view text, std::string_view service_name,
                               std::string_view process_name) {
  std::string expanded;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    expanded += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.size() > 1 && text[1] == '$') {  // an escaped `$`: what follows is no reference
      expanded += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    std::size_t begin = 1;
    char closing = 0;
    if (text.size() > 1 && (text[1] == '{' || text[1] == '(')) {
      closing = text[1] == '{' ? '}' : ')';
      begin = 2;
    }
    std::size_t end = begin;
    while (end < text.size() && IsNameCharacter(text[end])) ++end;
    const std::string_view name = text.substr(begin, end - begin);
    const bool closed = closing == 0 || (end < text.size() && text[end] == closing);
    const std::size_t length = end + (closing != 0 && closed ? 1 : 0);
    if (closed && name == "service_name") {
      expanded += service_name;
    } else if (closed && name == "process_name") {
      expanded += process_name;
    } else {
      expanded += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return expanded;
}

std::optional<std::string> ServiceNameProblem(std::string_view service_name) {
  if (service_name.empty()) return "the service has no name";
  if (LastComponent(service_name) == "proxywrite") {
    return "this program answers lookups only and cannot serve as proxywrite; leave the command "
           "`proxymap' on the proxywrite line of master.cf";
  }
  return std::nullopt;
}

std::variant<MasterEnvironment, ArgumentError> ParseMasterEnvironment(
    const EnvironmentLookup& lookup) {
  const auto text = [&lookup](const char* name) {
    const char* value = lookup(name);
    return std::string(value == nullptr ? "" : value);
  };
  MasterEnvironment environment;
  environment.config_directory = text("MAIL_CONFIG");
  environment.log_tag = text("MAIL_LOGTAG");
  environment.postlog_service = text("POSTLOG_SERVICE");
  environment.postlog_hostname = text("POSTLOG_HOSTNAME");
  environment.debug = lookup("MAIL_DEBUG") != nullptr;
  if (const char* generation = lookup("GENERATION")) {
    const auto number = WholeNumber<unsigned>(generation, 8);
    if (!number) {
      return ArgumentError{
          fmt::format("environment variable GENERATION: `{}' is not an octal number", generation)};
    }
    environment.generation = *number;
  }
  return environment;
}

}  // namespace proxymux::proxy
