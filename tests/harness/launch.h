// The start of a program in a child of ours: what is made ready before fork(2), and what the child
// does with it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/harness/process.h"

namespace proxymux::harness {

// All that the child needs between fork(2) and exec(3), made before the fork: there only
// async-signal-safe calls are allowed.
struct LaunchPlan {
  std::vector<std::string> environment_words;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<gid_t> groups;
  uid_t user = 0;
  bool change_user = false;
  std::size_t listen_pid =
      0;  // 1 + index of the LISTEN_PID variable, which only the child can fill in
};

// `arguments` must outlive the plan.
LaunchPlan MakeLaunchPlan(const std::vector<std::string>& arguments, const CommandOptions& options);

// In the child: never returns.
[[noreturn]] void Launch(LaunchPlan& plan, const CommandOptions& options, int in, int out, int err,
                         const std::vector<ChildProcess::Descriptor>& descriptors);

}  // namespace proxymux::harness
