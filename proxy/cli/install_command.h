// `proxymux install` and `proxymux uninstall`: the switch and the way back (docs/migration.md), for
// one instance of Postfix or for all. What would be changed is shown first; `check` comes before
// the switch and stops it at errors. Either does nothing where there is nothing to do.
//
// Exit status: 0 it is as it was asked for; 1 nothing was changed, since nobody said yes; 2 it
// cannot be done, or not to its end: what was changed is said; for several instances the highest.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

namespace proxymux::proxy {

struct InstallOptions {
  std::string config_directory;
  bool all_instances = false;  // as postmulti(1) lists them
  bool in_place = false;       // else beside stock
  bool offline = false;        // `check` asks no server
  bool yes = false;            // nobody is asked
};

// The commands themselves; the exit status. `in`: where the answer comes from; null: nobody is
// there.
int Install(const InstallOptions& options, std::istream* in, std::ostream& out, std::ostream& err);
int Uninstall(const InstallOptions& options, std::istream* in, std::ostream& out,
              std::ostream& err);

// Adds both to the program's commands; their callbacks set `*status`.
void AddInstallCommands(CLI::App* app, int* status);

}  // namespace proxymux::proxy
