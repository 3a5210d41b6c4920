// `proxymux ctl`: what a running service says of itself, and what it is told to do, over its admin
// listener (ctl_service.h).
//
// `ctl status` and `ctl top` show /status.json and change nothing (ctl_view.h). All others are
// commands (control.h): for root and the mail owner.
//
// Exit status: 0 the answer is on standard output; 1 no service was reached, or none could be
// chosen, or what was asked for was not done: the reason is on standard error.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`.
void AddCtlCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
