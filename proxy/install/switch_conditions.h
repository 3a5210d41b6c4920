// What has to be so before lookups are sent to this program. Blocking: runs programs.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

namespace proxymux::proxy {

// The program is where master(8) looks for it, runs, and is the one that this is. Nothing: it is;
// else why not, and what to do.
std::optional<std::string> ProgramProblem(const std::string& config_directory,
                                          const std::string& program);

// `proxymux check` finds no error. What it says goes to `out` and `err`. Nothing: it found none.
std::optional<std::string> CheckProblem(const std::string& config_directory, bool offline,
                                        std::ostream* out, std::ostream* err);

}  // namespace proxymux::proxy
