// A random pgsql_table(5) file over schema.sql: connection, query, result format, domain list and
// all the other settings, comments and continuation lines.
#pragma once

#include <string>

#include "tests/differential/differential_table.h"
#include "tests/differential/random_source.h"

namespace proxymux::differential {

// Complete but for what DifferentialWorld fills in. No statement_mode line: the same table is asked
// in several modes.
DifferentialTable RandomTable(RandomSource& random, const std::string& name);

}  // namespace proxymux::differential
