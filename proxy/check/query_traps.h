// What in a query most likely is not what its writer meant, though it is sent as it stands: quotes
// that are not closed, and comments that reach over the end of their line, since the lines of a
// value are joined. Pure.
#pragma once

#include <string>

#include "config/postfix/main_cf.h"
#include "pgsql/sql/query_template.h"
#include "proxy/check/findings.h"

namespace proxymux::proxy {

// `place` is that of the query in `file`.
void CheckQuery(const pgsql::QueryTemplate& query, const std::string& file,
                const config::TextPlace& place, Findings* findings);

}  // namespace proxymux::proxy
