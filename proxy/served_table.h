// One pgsql table as it is served: what its file says now, the pool that answers for it, and what
// was counted.
//
// Lives as long as the process serves it; a changed file replaces `binding` and `pool` and leaves
// the rest. Lookups in flight hold on to the binding and pool that they began with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pgsql/connection_pool.h"
#include "pgsql/table_binding.h"
#include "pgsql/latency_histogram.h"
#include "proxy/status.h"

namespace proxymux::proxy {

struct TableCounters {
  std::uint64_t lookups = 0;
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t retry = 0;
  std::uint64_t config = 0;
  std::uint64_t coalesced = 0;
  std::uint64_t suppressed = 0;
  LatencyHistogram latency;
};

struct ServedTable {
  std::string name;                              // "pgsql:/etc/postfix/x.cf"
  std::shared_ptr<pgsql::TableBinding> binding;  // null: broken from the start
  std::shared_ptr<pgsql::ConnectionPool> pool;   // null: broken from the start
  TableState state = TableState::kBroken;
  std::string reason;  // why the state is not kOk: "FILE:LINE: what"
  TableCounters counters;
};

}  // namespace proxymux::proxy
