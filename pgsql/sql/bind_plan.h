// A query template with parameters: each plain quoted literal that holds a placeholder is replaced
// by a parameter of its own, $1, $2, ..., without a declared type, bound to the literal's whole
// expanded text. The plan is possible only when that cannot change the meaning; else text_reason()
// says why not. It holds for sessions with standard_conforming_strings on; when that is off, use
// text.
//
// Bound::kEverywhere also binds placeholders that stand outside of quotes, each by itself: the
// server then gives the value the type that it needs there, and has an error for a key that is none
// of that type.
//
// Immutable. Appending writes behind what the string holds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/sample_query.h"
#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {

enum class Bound { kInQuotes, kEverywhere };

class BindPlan {
 public:
  BindPlan() = default;
  BindPlan(const SampleQuery& sample, Bound bound);

  bool possible() const { return text_reason_.empty(); }
  // Why the query must stay text; empty when it can be bound. Begins in lower case, for "stays
  // text: ...".
  const std::string& text_reason() const { return text_reason_; }
  // The query with parameters; only when possible().
  const std::string& query() const { return query_; }
  std::size_t parameter_count() const { return parameters_.size(); }
  // Appends the value of parameter `index` (from 0: $1) for a key, as it is, unescaped.
  void AppendParameter(std::size_t index, const KeyParts& key, std::string* out) const;

 private:
  // Literal text, then perhaps one placeholder.
  struct Part {
    std::string text;
    bool has_field = false;
    Placeholder placeholder;
  };
  using Parameter = std::vector<Part>;
  using PlaceholderIterator = std::vector<Placeholder>::const_iterator;

  static Parameter ValueOf(std::string_view text, const Token& literal, PlaceholderIterator next,
                           PlaceholderIterator end);

  std::string text_reason_;
  std::string query_;
  std::vector<Parameter> parameters_;
};

}  // namespace proxymux::pgsql
