// The daemon as master(8) starts it: its arguments, environment and descriptors, and the service.
//
// Exit status: that of Daemon::Run(). What master(8) handed over is wrong: one line in Postfix's
// log, and 1; master(8) then waits before it starts the service again, since the administrator has
// to act.
#pragma once

#include <string>
#include <vector>

namespace proxymux::proxy {

// For a process of which StartedByMaster(argv) is true.
int RunUnderMaster(const std::vector<std::string>& argv);

}  // namespace proxymux::proxy
