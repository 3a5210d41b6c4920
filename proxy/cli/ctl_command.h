// `proxymux ctl`: what a running service says of itself, asked over its admin listener.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`: 1 when no service was reached, or
// none could be chosen, or what it said is no answer.
void AddCtlCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
