// `proxymux ctl`: what a running service says of itself, asked over its admin listener.
//
// `ctl status` shows /status.json as text, or with --json as it is. Which service that is, when
// neither --socket nor --service says it, is for ChooseAdmin() (proxy/admin). When nobody listens,
// what is told is why, as far as Postfix's configuration knows it. Changes nothing.
//
// Exit status: 0 the answer is on standard output; 1 no service was reached, or none could be
// chosen, or what it said is no answer: the reason is on standard error.
#pragma once

#include <CLI/CLI.hpp>

namespace proxymux::proxy {

// Adds the command to the program's; its callback sets `*status`.
void AddCtlCommand(CLI::App* app, int* status);

}  // namespace proxymux::proxy
