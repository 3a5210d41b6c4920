// What the random queries know of schema.sql: its tables and columns, their types, and which part
// of a key is likely to be found in each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxymux::differential {

enum class SqlType {
  kText,  // also varchar and domains over text
  kChar,
  kCitext,
  kInteger,  // of any size
  kNumeric,  // numeric and floating point
  kBoolean,
  kNetwork,  // inet and cidr
  kUuid,
  kEnum,
  kTextArray,
  kIntegerArray,
  kJsonb,
  kJson,
  kBytea,
  kTimestamp,
  kComposite,
  kBits,
};

// Values that are equal, and so tie in ORDER BY and are one to DISTINCT, may be written
// differently.
bool LooksDifferentWhenEqual(SqlType type);

enum class Holds { kAddress, kDomain, kUser, kNumber, kNetwork, kPattern, kRegex, kOther };

struct SqlColumn {
  std::string name;  // as written in a query
  SqlType type;
  Holds holds;
};

struct SqlTable {
  std::string name;
  std::size_t weight;  // how often it is taken
  std::vector<SqlColumn> columns;
};

const std::vector<SqlTable>& SchemaTables();

// Two tables that go together: names, and the condition with a and b for them.
struct SqlJoin {
  std::string left;
  std::string right;
  std::string condition;
};
const std::vector<SqlJoin>& SchemaJoins();
const SqlTable& SchemaTable(std::string_view name);

}  // namespace proxymux::differential
