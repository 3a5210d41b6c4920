// `proxymux check`: reads everything that the service would read, and says what is wrong with it:
// main.cf, proxymux.yaml, the lines of master.cf and every approved pgsql table. One line per
// finding on standard output, then a summary. Connects to nothing and changes nothing.
//
// Exit status: 0 nothing is wrong, or there are warnings only; 1 there is an error: a table or a
// setting is not used, or main.cf cannot be read.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

namespace proxymux::proxy {

// The command itself: findings and summary go to `out`. False when there is an error. Changes to
// queue_directory, as the service does: relative names in table files mean the same.
bool Check(const std::string& config_directory, std::ostream& out);

// Adds the command to the program's; its callback sets `*status`.
void AddCheckCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
