// How large a relation of the database is, as a server that is asked says.
#pragma once

#include <string>

#include "pgsql/inquiry/pg_inquiry.h"

namespace proxymux::proxy {

struct RelationSize {
  long long rows = 0;   // as the last ANALYZE or VACUUM counted them; 0 or -1: none did
  long long bytes = 0;  // of its main fork; 0: not known
};

// Also of a relation that the role itself may not look up, such as one behind a view.
RelationSize SizeOf(const std::string& schema, const std::string& name, pgsql::PgInquiry* server);

}  // namespace proxymux::proxy
