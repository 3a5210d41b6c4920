// Fills a ServiceStatus from the live parts of the process. On the loop's thread.
#pragma once

#include <string>
#include <vector>

#include "proxy/relay/relay.h"
#include "proxy/relay/stock_policy.h"
#include "proxy/status/status.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {

std::vector<TableStatus> CollectTables(const TableRegistry& tables, const pgsql::EventLoop& loop);
RelayCounts CollectRelay(const Relay& relay, const StockPolicy& policy);
std::uint64_t ResidentBytes();
void FillInTimes(ProcessStatus* status);  // that of the processor

// A line for each table whose last lookups all failed.
std::vector<std::string> TableFaults(const TableRegistry& tables);

}  // namespace proxymux::proxy
