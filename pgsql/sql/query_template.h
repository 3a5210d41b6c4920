// The `query` setting of a pgsql_table(5), compiled once: literal text and placeholders (%s %S the
// key, %u %U its user, %d %D its domain, %1..%9 a label of the domain from the right, %% a percent
// sign).
//
// Compiling gives two plans:
// clang-format off
//   text (text_plan.h)  every value is escaped and written into the query. Always there.
//   bind (bind_plan.h)  values go beside the query, as parameters, where that cannot change the
//                       meaning.
// clang-format on
//
// Immutable after Compile. Expansion appends to the caller's string, which keeps its capacity
// between lookups. Expansion expects a key that has everything in requirements().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgsql/sql/bind_plan.h"
#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/literal_escaper.h"
#include "pgsql/sql/sample_query.h"
#include "pgsql/sql/sql_lexer.h"
#include "pgsql/sql/text_plan.h"

namespace proxymux::pgsql {

// Something about a template, and where.
struct TemplateError {
  std::size_t offset;  // bytes into the template, from 0
  std::string text;
};

class QueryTemplate {
 public:
  static std::variant<QueryTemplate, TemplateError> Compile(std::string_view query,
                                                            UnquotedValues unquoted);

  const std::string& source() const { return source_; }
  const Requirements& requirements() const { return requirements_; }
  // True when a placeholder stands where its value decides what the statement does, and not only
  // for whom: in a name, in a dollar quote (which may hold code), outside of quotes unless only
  // numbers may stand there. What such a query does cannot be known before its key.
  bool has_open_placeholder() const { return has_open_placeholder_; }

  // Appends the whole query for a key.
  Expansion AppendText(const KeyParts& key, LiteralEscaper& escaper, std::string* out) const {
    return text_.Append(key, escaper, out);
  }
  const BindPlan& bind(Bound bound) const {
    return bound == Bound::kEverywhere ? bind_everywhere_ : bind_in_quotes_;
  }

  // Placeholders where some keys cannot be looked up as text, or change the statement; one for each
  // kind of place.
  const std::vector<TemplateError>& cautions() const { return cautions_; }

  // The tokens of source(), comments included, as with standard_conforming_strings on.
  const std::vector<Token>& tokens() const { return tokens_; }
  // True when standard_conforming_strings = off would split source() in another way.
  bool depends_on_backslash_rule() const { return depends_on_backslash_rule_; }

 private:
  void LookAround(const SampleQuery& sample, UnquotedValues unquoted);

  std::string source_;
  std::vector<Token> tokens_;
  bool depends_on_backslash_rule_ = false;
  Requirements requirements_;
  bool has_open_placeholder_ = false;
  std::vector<TemplateError> cautions_;
  TextPlan text_;
  BindPlan bind_in_quotes_;
  BindPlan bind_everywhere_;
};

// One placeholder at text[at] == '%': its letter, or 0 with a reason.
struct PlaceholderAt {
  char letter = 0;         // one of % s S u U d D 1..9
  const char* error = "";  // why letter is 0
};
PlaceholderAt ReadPlaceholder(std::string_view text, std::size_t at);

}  // namespace proxymux::pgsql
