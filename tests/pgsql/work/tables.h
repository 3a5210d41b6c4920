// Tables as a pool has them, made of nothing but a query.
#pragma once

#include <memory>
#include <string>

#include "config/values/statement_mode.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {

// The statement is known to read, to write, or not known; and it is known to be quick. Null, and a
// failure of the test: the query cannot be compiled.
std::shared_ptr<TableBinding> BoundTable(
    const std::string& query, WriteClass write_class,
    config::StatementMode mode = config::StatementMode::kLegacy);

// Reads, is quick, and may share a session.
std::shared_ptr<TableBinding> QuickTable();
// The same, but for its session.
std::shared_ptr<TableBinding> OwnSessionTable();
// The same, but the server is known to take that long.
std::shared_ptr<TableBinding> SlowTable(Duration taken);

}  // namespace proxymux::pgsql
