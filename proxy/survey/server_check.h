// What database servers say to the tables: every host of every pool is connected to, as whoever
// runs the process, and asked about itself and about each query that it would get. All at once:
// hosts do not wait for each other.
#pragma once

#include <vector>

#include "proxy/check/findings.h"
#include "proxy/check/table_check.h"
#include "proxy/survey/checked_server.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

// `stock_processes`: the process limit of the service proxymap. Blocking: runs the loop, and
// threads. A host that does not answer costs its connect_timeout once.
std::vector<CheckedServer> CheckServers(const std::vector<CheckedTable>& tables,
                                        int stock_processes, UvEventLoop* loop, Findings* findings);

}  // namespace proxymux::proxy
