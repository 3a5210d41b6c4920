// `proxymux compare`: every approved pgsql table, asked the same keys through stock's postmap(1)
// and through `proxymux lookup`; where the answers are not the same, and how long they took.
// Changes nothing, and does not need a service that runs.
//
// Exit status: 0 all answers are the same; 1 some are not, or some keys could not be asked; 2 there
// is nothing to compare: no keys, no tables, or no main.cf.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace proxymux::proxy {

struct CompareOptions {
  std::string config_directory;
  std::string keys_file;            // one a line; "-": standard input
  std::string log_file;             // of Postfix; "-": standard input
  std::vector<std::string> tables;  // only these; empty: every approved one
  std::optional<std::size_t> limit;  // keys; none: 1000 of a log, all of a file
  std::size_t rate = 200;            // keys a second, of both together
};

// The command itself; its exit status.
int Compare(const CompareOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

// Adds the command to the program's; its callback sets `*status`.
void AddCompareCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
