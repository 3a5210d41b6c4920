// Programs that a test runs: to their end (RunCommand), or beside it (ChildProcess).
//
// Children get exactly the environment they are given, PATH and LANG=C by default, so that nothing
// of the caller's leaks in. Failing to start one throws std::runtime_error.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/harness/deadline.h"

namespace proxymux::harness {

struct CommandOptions {
  std::string user;       // run as this user with its groups; empty: as we are
  std::string directory;  // working directory; empty: as we are
  std::map<std::string, std::string> environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"},
                                                    {"LANG", "C"}};
  std::string input;                 // standard input (RunCommand only)
  milliseconds limit = seconds(60);  // killed after that (RunCommand only)
};

struct CommandResult {
  int status = -1;  // exit status; 128 + signal when a signal ended it, as a shell says it
  std::string out;
  std::string err;
  bool timed_out = false;
};

// Runs the program `arguments[0]` (a full path or a name on PATH) and collects what it writes.
CommandResult RunCommand(const std::vector<std::string>& arguments,
                         const CommandOptions& options = {});

// The same; throws with the program's own words when it does not exit with 0. Returns standard
// output.
std::string RunOrThrow(const std::vector<std::string>& arguments,
                       const CommandOptions& options = {});

// A program that runs beside the test. Its output goes to a file. Destroying it kills the program
// and waits for it.
class ChildProcess {
 public:
  struct Descriptor {
    int ours;    // open in this process
    int theirs;  // its number in the child
  };

  // Standard output and error are appended to `output_file`. `descriptors` are passed on; a
  // variable LISTEN_PID=self in the environment is replaced by the child's own process id, as
  // socket activation wants.
  ChildProcess(const std::vector<std::string>& arguments, const std::string& output_file,
               const CommandOptions& options = {}, const std::vector<Descriptor>& descriptors = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // The exit status (128 + signal), or nothing when it still runs after `limit`. May be asked
  // again.
  std::optional<int> Wait(milliseconds limit = seconds(20));
  bool Running();

 private:
  pid_t pid_;
  std::optional<int> status_;
};

// One row of /proc.
struct ProcessInfo {
  pid_t pid;
  pid_t parent;
  char state;           // 'Z': ended, not yet waited for
  std::string command;  // the name the kernel keeps, at most 15 bytes
};

// Processes whose working directory is `directory` or below it. Every server that a test starts
// works there, and nobody else does: this is how a test sees that none was left behind. Zombies
// have no working directory and do not count.
std::vector<ProcessInfo> ProcessesIn(const std::string& directory);

// All living (or, with state 'Z', dead) children of `parent`.
std::vector<ProcessInfo> ChildrenOf(pid_t parent);

// Kills whatever still works in `directory` and waits until it is gone.
void EndProcessesIn(const std::string& directory);

}  // namespace proxymux::harness
