// `proxymux lookup`: one table asked as the service would ask it, without the service and without
// Postfix running. Answers and exit statuses are those of `postmap -q`.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

#include "proxy/cli/lookup_options.h"

namespace proxymux::proxy {

// The exit status: 0 when a key was found, 1 when none was or something is wrong. A key that gets
// no answer ends it. Answers go to `out`, what is wrong to `err`; what the pools have to tell goes
// to standard error as well.
int Lookup(const LookupOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

// Adds the command to the program's; its callback sets `*status` to what Lookup() returns.
void AddLookupCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
