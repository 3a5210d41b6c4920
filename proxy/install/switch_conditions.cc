#include "proxy/install/switch_conditions.h"

#include <chrono>
#include <filesystem>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include "config/postfix/program_output.h"
#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kShownWords = 2000;  // of what a program said

// `check` may wait for every host's connect_timeout.
constexpr std::chrono::minutes kLongestRun{5};

config::ProgramOutput RunIn(const std::string& config_directory,
                            std::vector<std::string> arguments) {
  config::ProgramRun run;
  run.arguments = std::move(arguments);
  run.environment = config::PostfixEnvironment(config_directory);
  run.time_limit = kLongestRun;
  return config::RunProgram(run);
}

// Empty when its file was replaced.
std::string ThisProgram() {
  std::error_code error;
  return std::filesystem::canonical("/proc/self/exe", error).string();
}

}  // namespace

std::optional<std::string> ProgramProblem(const std::string& config_directory,
                                          const std::string& program) {
  const std::string self = ThisProgram();
  if (self.empty()) return "this program was replaced while it ran: start it again";
  const std::string mend = ": install -m 755 " + self + " " + program;
  std::error_code error;
  if (!std::filesystem::exists(program, error)) {
    return program + ": master(8) finds no program there" + mend;
  }
  const config::ProgramOutput there = RunIn(config_directory, {program, "--version"});
  if (!there.failure.empty()) {
    return program + ": " + there.failure + ": " + ShownText(there.err, kShownWords);
  }
  const config::ProgramOutput here = RunIn(config_directory, {self, "--version"});
  if (there.out == here.out) return std::nullopt;
  return program + ": is another release or build than this program" + mend;
}

std::optional<std::string> CheckProblem(const std::string& config_directory, bool offline,
                                        std::ostream* out, std::ostream* err) {
  const config::ProgramOutput check =
      RunIn(config_directory,
            {ThisProgram(), "check", "-c", config_directory, offline ? "--offline" : "--connect"});
  *out << check.out << std::flush;
  *err << check.err << std::flush;
  if (check.failure.empty() || check.failure == "exited with status 1") return std::nullopt;
  if (check.failure != "exited with status 2") return "`proxymux check`: " + check.failure;
  return "nothing is changed before the errors above are mended (`proxymux check`)";
}

}  // namespace proxymux::proxy
