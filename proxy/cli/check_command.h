// `proxymux check`: reads everything that the service would read, asks the database servers that it
// would ask, and says what is wrong. One line per finding on standard output, then one for each
// server, then a summary; or all of it as JSON. Changes nothing.
//
// Exit status: 0 nothing is wrong; 1 there are warnings only; 2 there is an error: a table or a
// setting is not used, lookups would be refused or fail, or main.cf cannot be read.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

namespace proxymux::proxy {

struct CheckOptions {
  std::string config_directory;
  bool connect = false;  // to every host of every pool
  bool json = false;
};

// The command itself: findings and summary go to `out`. Gives the exit status. Changes to
// queue_directory, as the service does, and before it connects root becomes mail_owner.
int Check(const CheckOptions& options, std::ostream& out);

// Adds the command to the program's; its callback sets `*status`.
void AddCheckCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
