// Random queries over schema.sql, from a grammar of what tables of mail systems ask and of what a
// lexer, a planner or parameters could stumble over.
//
// Most are valid SQL that finds something for some keys. '%' is written as the pgsql_table query
// template wants it; there are no newlines.
#pragma once

#include <cstddef>
#include <string>

#include "tests/differential/random_expression.h"
#include "tests/differential/random_source.h"
#include "tests/differential/schema_columns.h"

namespace proxymux::differential {

struct QueryText {
  std::string sql;
  bool row_order_defined = false;
  // Which rows come, not only their order, is the planner's choice: LIMIT without ORDER BY,
  // DISTINCT over citext, string_agg without ORDER BY, ...
  bool plan_may_choose = false;
};

class RandomQuery {
 public:
  explicit RandomQuery(RandomSource& random) : random_(random), expression_(random) {}

  QueryText Statement();

 private:
  // What one SELECT is to have.
  enum class Columns { kAny, kOneText };

  const SqlTable& SomeTable();
  const SqlColumn& SomeColumn(const SqlTable& table);
  const SqlColumn& KeyColumn(const SqlTable& table);
  std::string Where(const SqlTable& table, const std::string& alias, std::size_t depth);
  std::string SelectList(const SqlTable& table, const std::string& alias, Columns columns,
                         std::size_t* count);
  void Finish(bool has_id, std::size_t columns, QueryText* query);

  QueryText Query(std::size_t depth);
  QueryText Simple(Columns columns, std::size_t depth);
  QueryText Join();
  QueryText SetOperation(std::size_t depth);
  QueryText WithClause(std::size_t depth);
  QueryText SubSelect(std::size_t depth);
  QueryText Scalar(std::size_t depth);
  QueryText Aggregate();
  QueryText FromFunction();
  QueryText NoTable();
  QueryText Values();
  void Decorate(QueryText* query);

  RandomSource& random_;
  RandomExpression expression_;
  bool loose_ = false;  // the select list holds a type whose equal values may look different
};

}  // namespace proxymux::differential
