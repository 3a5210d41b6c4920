// `proxymux serve`: the service in the foreground, without master(8): on a socket of its own
// (--listen) or on those that a service manager hands over (LISTEN_FDS).
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`, the service's exit status: 1 when
// there is nothing to listen on or the service cannot start.
void AddServeCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
