// What an error of a server's says about a query that was only looked at, and what to do about it
// (PostgreSQL manual, "PostgreSQL Error Codes"). Pure.
#pragma once

#include <string>
#include <string_view>

#include "pgsql/inquiry/pg_inquiry.h"

namespace proxymux::proxy {

enum class FaultKind {
  kMistake,  // of the query, or of what is in the database for it: every lookup fails
  kData,     // a value is not such as the query wants it
  kPassing,  // it may be another one the next time
};
// Also of no SQLSTATE: no server said it.
FaultKind KindOf(std::string_view sqlstate);

// What to do about a mistake; empty: the server has no hint, either.
std::string AdviceFor(const pgsql::PgInquiry::Fault& fault);

}  // namespace proxymux::proxy
