// What one pgsql_table(5) file says, as plain values: defaults filled in, nothing looked up yet.
//
// Made by pgsql_table_parser from the text of a .cf file (or from main.cf's NAME_... settings),
// read by the pgsql room. A TableConfig is a copyable value without identity; two that compare
// equal mean the same table.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/values/statement_mode.h"

namespace proxymux::config {

struct TableConfig {
  std::vector<std::string> hosts;  // as written, in order, "localhost" when the file names none
  std::string user;                // empty: libpq's own default
  std::string password;            // never logged
  std::string dbname;              // may be a whole connection string (it holds '=' or is a URI)
  std::string encoding;            // client_encoding
  std::chrono::seconds idle_interval{60};
  std::chrono::seconds retry_interval{60};
  std::string query;  // the template, also when made from select_function or table/select_field/...
  std::string result_format = "%s";
  std::vector<std::string> domain;              // list elements as written; empty: every key
  std::int64_t expansion_limit = 0;             // 0 or less: no limit
  std::optional<StatementMode> statement_mode;  // nothing: as proxymux.yaml says

  friend bool operator==(const TableConfig&, const TableConfig&) = default;
};

}  // namespace proxymux::config
