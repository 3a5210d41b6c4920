// `proxymux check`: reads everything that the service would read, and says what is wrong with it.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

namespace proxymux::proxy {

// One line per finding on `out`, then a summary. True when nothing is wrong that would keep a table
// from being used or a setting from taking effect; warnings alone are no failure. Connects to
// nothing.
bool Check(const std::string& config_directory, std::ostream& out);

// Adds the command to the program's; its callback sets `*status`: 1 when Check() is false.
void AddCheckCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
