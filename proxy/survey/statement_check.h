// What a server says to the query of one table: whether it takes it, what it would read for each
// lookup, and what it does to others. The query is prepared and explained, never run, in a
// transaction that is rolled back; nothing of it is left in the session.
#pragma once

#include <vector>

#include "config/values/diagnostic.h"
#include "pgsql/inquiry/pg_inquiry.h"
#include "pgsql/inquiry/server_facts.h"
#include "proxy/check/table_check.h"

namespace proxymux::proxy {

// `table` has been loaded. Ends at once when the server is lost.
std::vector<config::Diagnostic> CheckStatement(const CheckedTable& table,
                                               const pgsql::ServerFacts& facts,
                                               pgsql::PgInquiry* server);

}  // namespace proxymux::proxy
