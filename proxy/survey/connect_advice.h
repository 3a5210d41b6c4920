// Why a connection failed, for whoever has to mend it: which setting of the table's file it is
// about, and what to do. Pure.
#pragma once

#include <string_view>

#include "pgsql/connection/upstream_connection.h"

namespace proxymux::proxy {

struct ConnectAdvice {
  std::string_view setting;  // of a table's file: "password", "dbname", "hosts"
  std::string_view hint;     // empty: what libpq and the server said is all that is known
};

ConnectAdvice AdviceFor(const pgsql::ConnectionFault& fault);

}  // namespace proxymux::proxy
