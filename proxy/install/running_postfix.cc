#include "proxy/install/running_postfix.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "config/postfix/program_output.h"
#include "proxy/install/service_probe.h"
#include "proxy/process/service_lines.h"
#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

constexpr std::chrono::minutes kLongestReload{5};  // it goes through the active queue
// From a reload until the service answers.
constexpr std::chrono::seconds kLongestStart{30};
constexpr std::chrono::seconds kLongestAnswer{5};
constexpr std::chrono::milliseconds kAskAgain{20};
// From a reload until the processes of before have ended.
constexpr std::chrono::seconds kLongestEnd{5};
constexpr std::size_t kShownWords = 2000;

// False: it has not become true within `limit`.
bool Becomes(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kAskAgain);
  }
  return true;
}

}  // namespace

bool RunningPostfix::Runs() const {
  return LookForMaster(places_.queue_directory) != MasterState::kDoesNotRun;
}

bool RunningPostfix::Serves(const std::string& service, bool ours) const {
  const std::string socket = places_.queue_directory + "/private/" + service;
  if (!Answers(socket, places_.table, places_.dialect, kLongestAnswer)) return false;
  return !ours || OurServices().contains(service);
}

// Daemons that ask before it is there would wait for ten seconds at a time.
bool RunningPostfix::ServesSoon(const std::string& service, bool ours) const {
  return !Runs() || Becomes([&] { return Serves(service, ours); }, kLongestStart);
}

bool RunningPostfix::RunsOnly(const std::set<std::string>& known, const std::string& service,
                              bool ours) const {
  const auto does = [&] {
    const std::set<std::string> running = OurServices();
    return std::ranges::includes(known, running) && Serves(service, ours);
  };
  return !Runs() || Becomes(does, kLongestEnd);
}

std::set<std::string> RunningPostfix::OurServices() const {
  return ServicesThatRun(places_.program, MasterProcess(places_.queue_directory));
}

std::optional<std::string> RunningPostfix::Reload() const {
  if (!Runs()) return std::nullopt;
  config::ProgramRun run;
  run.arguments = {places_.command_directory + "/postfix", "-c", places_.config_directory,
                   "reload"};
  run.environment = config::PostfixEnvironment(places_.config_directory);
  run.time_limit = kLongestReload;
  run.leaves_others = true;  // it goes through the whole queue in the background
  const config::ProgramOutput reload = config::RunProgram(run);
  if (reload.failure.empty()) return std::nullopt;
  return "`postfix reload` " + reload.failure + ": " + ShownText(reload.err, kShownWords);
}

}  // namespace proxymux::proxy
