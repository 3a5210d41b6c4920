// The command line and the environment that master(8) gives a daemon, as plain values. Pure:
// nothing of the process is read or changed here, and the program's own sub-commands (serve, check,
// ...) are not its business.
//
// Options follow getopt(3): they may be joined (`-lz`), an argument may follow directly or as the
// next word, `--` ends them. Errors are the text of a fatal log line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace proxymux::proxy {

struct ArgumentError {
  std::string text;
};

struct MasterArguments {
  std::string process_name;      // the last component of argv[0]
  std::string service_name;      // -n, else the process name
  bool single_process = false;   // -l: the process limit is 1
  bool unlimited = false;        // -z: there is no process limit
  bool daemon_mode = true;       // -d switches it off
  bool drop_privileges = false;  // -u
  bool debugger = false;         // -D; accepted, without effect
  bool log_to_stderr = false;    // -V
  bool client_on_stdin = false;  // -S: serve one client on standard input, then end
  int verbosity = 0;             // -v, counted
  int socket_count = 1;          // -s
  // -o, in order; $service_name and $process_name in the values are expanded.
  std::vector<std::pair<std::string, std::string>> overrides;
};

// Whether the command line is master's: the first word after the program's name is an option, and
// `-t TRANSPORT` or `-S` is among the options. No sub-command and no global option of the program
// looks like that.
bool StartedByMaster(const std::vector<std::string>& argv);

// `argv` begins with the program's name. Refuses what cannot work, and says why: `-c` (database
// sockets and .cf files lie outside the queue directory), a transport other than unix, the service
// name proxywrite.
std::variant<MasterArguments, ArgumentError> ParseMasterArguments(
    const std::vector<std::string>& argv);

// Splits "name = value" (main.cf syntax, one line) and trims both.
std::variant<std::pair<std::string, std::string>, ArgumentError> SplitOverride(
    std::string_view text);

// Replaces $name, ${name} and $(name) for the names service_name and process_name; leaves
// everything else as it is.
std::string ExpandServiceNames(std::string_view text, std::string_view service_name,
                               std::string_view process_name);

// Why this name cannot be served, or nothing.
std::optional<std::string> ServiceNameProblem(std::string_view service_name);

struct MasterEnvironment {
  std::string config_directory;  // MAIL_CONFIG; empty: not set
  std::string log_tag;           // MAIL_LOGTAG
  std::string postlog_service;   // POSTLOG_SERVICE
  std::string postlog_hostname;  // POSTLOG_HOSTNAME
  unsigned generation = 0;       // GENERATION, octal
  bool debug = false;            // MAIL_DEBUG is set
};

// `lookup` is getenv(3) or a test's: nullptr when a variable is not set.
using EnvironmentLookup = std::function<const char*(const char* name)>;
std::variant<MasterEnvironment, ArgumentError> ParseMasterEnvironment(
    const EnvironmentLookup& lookup);

}  // namespace proxymux::proxy
