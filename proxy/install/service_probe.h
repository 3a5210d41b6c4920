// Whether a service of master(8) answers, and which of its services run this program. Blocking.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <set>
#include <string>

#include "protocol/dialect.h"

namespace proxymux::proxy {

// Sends the service one request, to open the table, as a daemon of Postfix does; true when any
// reply comes in time. False at once where nobody listens.
bool Answers(const std::string& socket, const std::string& table, protocol::Dialect dialect,
             std::chrono::milliseconds limit);

// master(8)'s process, as its file in the queue directory says; 0: there is no such file.
pid_t MasterProcess(const std::string& queue_directory);

// The services whose processes, children of `master`, were started as `program`, the last word of
// its path.
std::set<std::string> ServicesThatRun(const std::string& program, pid_t master);

}  // namespace proxymux::proxy
