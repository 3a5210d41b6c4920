// Fills a ServiceStatus from the live parts of the process. On the loop's thread.
#pragma once

#include <string>
#include <vector>

#include "pgsql/libpq/pg_pools.h"
#include "proxy/relay/relay.h"
#include "proxy/relay/stock_policy.h"
#include "proxy/status/status.h"
#include "proxy/tables/table_registry.h"

namespace proxymux::proxy {

PoolStatus CollectPool(const pgsql::ConnectionPool& pool, const pgsql::EventLoop& loop);
std::vector<PoolStatus> CollectPools(const pgsql::PgPools& pools, const pgsql::EventLoop& loop);
std::vector<TableStatus> CollectTables(const TableRegistry& tables, pgsql::Time now);
RelayCounts CollectRelay(const Relay& relay, const StockPolicy& policy);
std::uint64_t ResidentBytes();

// A line for each table whose last lookups all failed.
std::vector<std::string> TableFaults(const TableRegistry& tables);

// A line for each host that cannot be connected to, or must not be.
std::vector<std::string> PoolFaults(const pgsql::PgPools& pools);

}  // namespace proxymux::proxy
