// What EXPLAIN says of a table's query (PostgreSQL manual, "Using EXPLAIN"): which tables of the
// database are read from end to end for each lookup, and which index would change that. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::proxy {

struct SequentialScan {
  std::string schema;
  std::string name;
  std::string alias;      // as the condition names it
  std::string condition;  // of the scan, or else of the join above it; empty: every row is wanted

  std::string Relation() const;  // "schema.name", quoted where it has to be

  friend bool operator==(const SequentialScan&, const SequentialScan&) = default;
};

// `json`: of EXPLAIN (FORMAT JSON, VERBOSE). Nothing when it is none.
std::vector<SequentialScan> SequentialScans(std::string_view json);

// What an index would have to be on, as CREATE INDEX wants it, for the comparison with the key in
// the condition, a parameter or a value with the sample (sample_query.h) in it: "address",
// "lower((address)::text)". Empty when there is none.
std::string IndexedBy(const SequentialScan& scan);

}  // namespace proxymux::proxy
