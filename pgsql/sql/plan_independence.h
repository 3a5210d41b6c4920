// Whether the answer of a query can depend on how the server plans it.
//
// With its values written into the text, a query is planned for just these values. As a prepared
// statement it may get a plan that serves all values (PostgreSQL manual, PREPARE, "Notes"). The two
// can differ in what the standard leaves open: which rows a LIMIT keeps, the order in which
// string_agg() meets rows, and whether an expression that would raise an error is evaluated at all.
// A query that is made only of parts that leave nothing open answers the same under every plan, up
// to the order of rows that no ORDER BY sets.
//
// Knows words, operators and functions of PostgreSQL that never raise an error, and refuses
// whatever it does not know. Views are taken for tables, built-in functions for what pg_catalog has
// under their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/sql_lexer.h"
#include "pgsql/sql/statement_class.h"

namespace proxymux::pgsql {

// Why a plan may change the answer, such as "it has LIMIT"; empty when none does. `query` is a
// template, `tokens` those of LexSql(query), one statement with placeholders in plain literals
// only.
std::string WhyPlanMatters(std::string_view query, const std::vector<Token>& tokens,
                           const StatementClass& statement);

// Whether every function in the query is one that takes a value declared as text for the same
// argument as a literal, and is known here. pg_typeof() is not: pg_typeof('x') is unknown. Nor is
// to_jsonb(): to_jsonb('x') is an error.
bool OnlyKnownFunctions(std::string_view query, const std::vector<Token>& tokens);

}  // namespace proxymux::pgsql
