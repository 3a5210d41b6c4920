#include "tests/harness/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace proxymux::harness {
namespace {

void WriteDecimal(char* to, pid_t number) {
  char digits[20];
  int count = 0;
  for (; number > 0; number /= 10) digits[count++] = static_cast<char>('0' + number % 10);
  while (count > 0) *to++ = digits[--count];
  *to = '\0';
}

}  // namespace

LaunchPlan MakeLaunchPlan(const std::vector<std::string>& arguments,
                          const CommandOptions& options) {
  LaunchPlan plan;
  for (const auto& argument : arguments)
    plan.arguments.push_back(const_cast<char*>(argument.c_str()));
  plan.arguments.push_back(nullptr);
  for (const auto& [name, value] : options.environment) {
    if (name == "LISTEN_PID" && value == "self") {
      plan.environment_words.push_back("LISTEN_PID=" + std::string(20, '\0'));
      plan.listen_pid = plan.environment_words.size();
    } else {
      plan.environment_words.push_back(name + "=" + value);
    }
  }
  for (auto& word : plan.environment_words) plan.environment.push_back(word.data());
  plan.environment.push_back(nullptr);
  if (!options.user.empty()) {
    const passwd* entry = ::getpwnam(options.user.c_str());
    if (entry == nullptr) throw std::runtime_error("no such user: " + options.user);
    plan.user = entry->pw_uid;
    plan.change_user = true;
    int count = 64;
    plan.groups.resize(count);
    ::getgrouplist(options.user.c_str(), entry->pw_gid, plan.groups.data(), &count);
    plan.groups.resize(count);
  }
  return plan;
}

void Launch(LaunchPlan& plan, const CommandOptions& options, int in, int out, int err,
            const std::vector<ChildProcess::Descriptor>& descriptors) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  // First out of the way of every number wanted, then to its place.
  int parked[16];
  for (std::size_t i = 0; i < descriptors.size() && i < 16; ++i) {
    parked[i] = ::fcntl(descriptors[i].ours, F_DUPFD, 200);
  }
  for (std::size_t i = 0; i < descriptors.size() && i < 16; ++i) {
    ::dup2(parked[i], descriptors[i].theirs);
    ::close(parked[i]);
  }
  if (plan.listen_pid > 0) {
    WriteDecimal(plan.environment_words[plan.listen_pid - 1].data() + std::strlen("LISTEN_PID="),
                 ::getpid());
  }
  const bool ok =
      (!plan.change_user || (::setgroups(plan.groups.size(), plan.groups.data()) == 0 &&
                             ::setgid(plan.groups[0]) == 0 && ::setuid(plan.user) == 0)) &&
      (options.directory.empty() || ::chdir(options.directory.c_str()) == 0);
  if (ok) ::execvpe(plan.arguments[0], plan.arguments.data(), plan.environment.data());
  static constexpr char kMessage[] = "could not start the program\n";
  if (::write(2, kMessage, sizeof(kMessage) - 1) < 0) ::_exit(126);
  ::_exit(127);
}

}  // namespace proxymux::harness
