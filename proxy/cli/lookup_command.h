// `proxymux lookup`: one table asked as the service would ask it, without the service and without
// Postfix running. Answers and exit statuses are those of `postmap -q`; with --explain a report for
// each key instead of its value.
//
// Exit status: 0 a key was found; 1 none was, or something is wrong: the reason is on standard
// error. A key that gets no answer ends it.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

#include "proxy/lookup/lookup_options.h"

namespace proxymux::proxy {

// The command itself; its exit status. Keys come from the options or from `in`, one a line; answers
// go to `out`, what is wrong to `err`; what the pools have to tell goes to standard error as well.
int Lookup(const LookupOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

// Adds the command to the program's; its callback sets `*status`.
void AddLookupCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
