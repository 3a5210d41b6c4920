// Queries compiled, and their bind plans on one line.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "pgsql/sql/query_template.h"

namespace proxymux::pgsql {

inline QueryTemplate Compiled(std::string_view query,
                              UnquotedValues unquoted = UnquotedValues::kNumbers) {
  auto result = QueryTemplate::Compile(query, unquoted);
  EXPECT_TRUE(std::holds_alternative<QueryTemplate>(result)) << query;
  return std::get<QueryTemplate>(std::move(result));
}

// The bind plan on one line: QUERY | value | value.
inline std::string Bind(std::string_view query, std::string_view key,
                        Bound bound = Bound::kInQuotes) {
  const QueryTemplate compiled = Compiled(query);
  const BindPlan& bind = compiled.bind(bound);
  if (!bind.possible()) return "text: " + bind.text_reason();
  std::string out = bind.query();
  for (std::size_t i = 0; i < bind.parameter_count(); ++i) {
    out += " | ";
    bind.AppendParameter(i, KeyParts(key), &out);
  }
  return out;
}

}  // namespace proxymux::pgsql
