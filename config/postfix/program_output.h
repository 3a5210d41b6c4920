// Runs a program by its full path and collects what it writes, within a time and a size.
//
// No shell, no PATH; standard input is what is given, or /dev/null; no descriptor but 0, 1 and 2 is
// passed on. The environment is given, not inherited. A program that takes too long or writes too
// much is killed with its process group, and always waited for. Blocking. Needs no SIGCHLD handler
// and must not have one that reaps every child.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace proxymux::config {

struct ProgramRun {
  std::vector<std::string> arguments;    // the first is the program's full path
  std::vector<std::string> environment;  // "NAME=value"
  std::string input;                     // standard input; empty: /dev/null
  std::chrono::milliseconds time_limit{10000};
  // It may leave programs behind that go on writing: only itself is waited for, and of what was
  // written the beginning is taken.
  bool leaves_others = false;
  std::size_t max_output = 8 << 20;  // of standard output and of standard error, each
};

struct ProgramOutput {
  std::string out;
  std::string err;
  // Empty: it ran and exited with 0. Else why not: "exited with status 1", "timed out after 10s".
  std::string failure;
};

ProgramOutput RunProgram(const ProgramRun& run);

// What programs of Postfix are run with: its instance, and messages in English. postmulti(1) and
// scripts look for others in PATH.
std::vector<std::string> PostfixEnvironment(const std::string& config_directory);

}  // namespace proxymux::config
