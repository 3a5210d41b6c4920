// `proxymux serve`: the service in the foreground, without master(8): on a socket of its own
// (--listen), on those that a service manager hands over (LISTEN_FDS), or on all of them. Logs to
// standard error, or with --syslog where Postfix does; root gives up its rights.
//
// Exit status: 1 an option is wrong, there is nothing to listen on, or the service cannot start,
// with one line on standard error; otherwise that of Daemon::Run().
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status` when the service has ended.
void AddServeCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
