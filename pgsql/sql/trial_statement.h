// A statement made from a template without a key, for a server to look at: with parameters, or with
// the sample's values. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "pgsql/sql/query_template.h"

namespace proxymux::pgsql {

class TrialStatement {
 public:
  // Values of the sample stand in it, which need not be such as the query's types want. Refers to
  // the query.
  explicit TrialStatement(const QueryTemplate& query);
  // With parameters: only where query.bind(bound) is possible.
  TrialStatement(const QueryTemplate& query, Bound bound);

  const std::string& sql() const { return sql_; }
  std::size_t parameters() const { return parameters_; }

  // Where in the template that byte of sql() stands: of a literal that has become a parameter the
  // beginning.
  std::size_t InTemplate(std::size_t offset) const;
  // A value of the sample is a part of the token at that byte, as in "alias_7": with a key it is
  // another one.
  bool DependsOnKey(std::size_t offset) const;

 private:
  const QueryTemplate& query_;
  std::string sql_;
  std::size_t parameters_ = 0;
};

}  // namespace proxymux::pgsql
