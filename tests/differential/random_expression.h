// Random SQL expressions over the key and over columns of schema.sql: what stands in WHERE clauses
// and select lists.
//
// Most are valid and true for some key; some mix types on purpose. '%' is written as the
// pgsql_table query template wants it.
#pragma once

#include <cstddef>
#include <string>

#include "tests/differential/random_source.h"
#include "tests/differential/schema_columns.h"

namespace proxymux::differential {

class RandomExpression {
 public:
  explicit RandomExpression(RandomSource& random) : random_(random) {}

  // A literal with placeholders for the part of the key that such a column holds, in any quoting.
  std::string KeyLiteral(Holds holds);
  // An expression of a text type made from the key.
  std::string KeyText(Holds holds);
  // True for rows of `alias` whose column has to do with the key.
  std::string Condition(const std::string& alias, const SqlColumn& column);
  // A condition without the key, true for many rows.
  std::string Filter(const std::string& alias, const SqlColumn& column);
  // A value of a row for a select list.
  std::string Output(const std::string& alias, const SqlColumn& column);
  // A value without a row: constants and the key.
  std::string Constant();

 private:
  std::string KeyPattern(Holds holds);  // the literal's inside
  std::string TextCondition(const std::string& name, const SqlColumn& column);
  std::string NumberCondition(const std::string& name);
  std::string OtherCondition(const std::string& name, SqlType type);

  RandomSource& random_;
};

}  // namespace proxymux::differential
