// The questions to one host of a pool: what it is, and what it says to the query of each table.
#pragma once

#include <vector>

#include "config/values/diagnostic.h"
#include "pgsql/libpq/pg_conninfo.h"
#include "pgsql/libpq/pg_handles.h"
#include "proxy/check/table_check.h"
#include "proxy/survey/checked_server.h"

namespace proxymux::proxy {

// A host of a pool, with the tables that are looked up there.
struct PoolHost {
  const pgsql::ConnectPlan* plan = nullptr;
  std::vector<const CheckedTable*> tables;  // never empty

  const pgsql::ConnectionPool& pool() const { return *tables.front()->loaded.pool; }
};

struct Interview {
  CheckedServer server;
  std::vector<config::Diagnostic> said;                     // about the host itself
  std::vector<std::vector<config::Diagnostic>> statements;  // for each of its tables
};

// Of a host that was not reached.
Interview Unreached(const PoolHost& host, const pgsql::ConnectionFault& fault);

// Blocking, for 20 s at most; may run on any thread: tables are only read.
Interview AskHost(const PoolHost& host, pgsql::PgConnectionHandle connection);

}  // namespace proxymux::proxy
