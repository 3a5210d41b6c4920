// What is said of pools and their hosts, from the live ones. On the loop's thread.
#pragma once

#include <string>
#include <vector>

#include "pgsql/libpq/pg_pools.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

PoolStatus CollectPool(const pgsql::ConnectionPool& pool, const pgsql::EventLoop& loop);
std::vector<PoolStatus> CollectPools(const pgsql::PgPools& pools, const pgsql::EventLoop& loop);

// A line for each pool that has no host, and for each host that cannot be connected to, or must not
// be; but not for one whose role is not the one that is wanted.
std::vector<std::string> PoolFaults(const pgsql::PgPools& pools);

}  // namespace proxymux::proxy
