// The `query` setting of a pgsql_table(5), compiled once: literal text and placeholders (%s %S the
// key, %u %U its user, %d %D its domain, %1..%9 a label of the domain from the right, %% a percent
// sign).
//
// Two plans come out of it:
//   text: every value is escaped and written into the query. Always there. Differs from Postfix in
//   two places where its
//     form can be injected into: inside E'...' backslashes are escaped as well, and outside of
//     quotes only a plain number is inserted (unless UnquotedValues::kAny).
//   bind: each plain quoted literal that holds a placeholder is replaced by a parameter of its own,
//   $1, $2, ..., without a
//     declared type, bound to the literal's whole expanded text. There only when that cannot change
//     the meaning; else text_reason() says why not. Holds for connections with
//     standard_conforming_strings on; with it off, use text.
//
// Immutable after Compile. Expansion appends to the caller's string, which keeps its capacity
// between lookups. Expansion expects a key that has everything in requirements().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgsql/key_parts.h"
#include "pgsql/literal_escaper.h"
#include "pgsql/sql_lexer.h"

namespace proxymux::pgsql {

enum class UnquotedValues { kNumbers, kAny };

// What a placeholder stands for.
enum class KeyField : char { kKey, kUser, kDomain, kLabel };

// The lexical surroundings of a placeholder.
enum class PlaceholderContext {
  kLiteral,           // '...', also behind a type name
  kEscapeLiteral,     // E'...'
  kAfterBackslash,    // E'...\%s': the value's first character is what the backslash escapes
  kOtherLiteral,      // B'', X'', N'', U&''
  kDollarLiteral,     // $tag$...$tag$
  kQuotedIdentifier,  // "..." and U&"..."
  kComment,
  kUnquoted,
};

struct TemplateError {
  std::size_t offset;  // bytes into the template, from 0
  std::string text;
};

enum class Expansion {
  kDone,
  kNotEscapable,  // a value has no safe form here, or none in the connection's encoding: answer
                  // "not found" and warn
  kNotANumber,    // a value that is not a plain number would stand outside of quotes: answer "not
                  // found" and warn
};

class QueryTemplate {
 public:
  static std::variant<QueryTemplate, TemplateError> Compile(std::string_view query,
                                                            UnquotedValues unquoted);

  const std::string& source() const { return source_; }
  const Requirements& requirements() const { return requirements_; }
  bool has_placeholders() const { return placeholder_count_ > 0; }
  // True when a placeholder stands where its value could become more than a literal: outside of
  // quotes, in an identifier, a comment or a dollar quote. What such a query does cannot be known
  // before its key.
  bool has_open_placeholder() const { return has_open_placeholder_; }

  // Appends the whole query for a key.
  Expansion AppendText(const KeyParts& key, LiteralEscaper& escaper, std::string* out) const;

  bool can_bind() const { return text_reason_.empty(); }
  // Why the query must stay text; empty when it can be bound. Begins in lower case, for "stays
  // text: ...".
  const std::string& text_reason() const { return text_reason_; }
  // The query with parameters; only when can_bind().
  const std::string& bind_query() const { return bind_query_; }
  std::size_t parameter_count() const { return parameters_.size(); }
  // Appends the value of parameter `index` (from 0: $1) for a key, as it is, unescaped.
  void AppendParameter(std::size_t index, const KeyParts& key, std::string* out) const;

  // The tokens of source(), comments included, as with standard_conforming_strings on.
  const std::vector<Token>& tokens() const { return tokens_; }
  // True when standard_conforming_strings = off would split source() in another way.
  bool depends_on_backslash_rule() const { return depends_on_backslash_rule_; }

 private:
  // Literal text, then (unless it is the last piece) one placeholder.
  struct Piece {
    std::string text;
    bool has_field = false;
    KeyField field = KeyField::kKey;
    std::size_t label = 0;
    PlaceholderContext context = PlaceholderContext::kLiteral;
    std::size_t offset = 0;  // of the placeholder's '%' in the template
  };
  using Pieces = std::vector<Piece>;

  static void SetContexts(std::string_view source, const std::vector<Token>& tokens,
                          BackslashInLiteral backslash, Pieces* pieces);
  static std::string_view FieldOf(const Piece& piece, const KeyParts& key);
  void PlanBind();

  std::string source_;
  UnquotedValues unquoted_ = UnquotedValues::kNumbers;
  std::vector<Token> tokens_;
  Pieces pieces_;
  Pieces
      legacy_pieces_;  // for standard_conforming_strings = off; empty when it makes no difference
  bool depends_on_backslash_rule_ = false;
  Requirements requirements_;
  std::size_t placeholder_count_ = 0;
  bool has_open_placeholder_ = false;
  std::string text_reason_;
  std::string bind_query_;
  std::vector<Pieces> parameters_;
};

// One placeholder at text[at] == '%': its letter, or 0 with a reason.
struct PlaceholderAt {
  char letter = 0;         // one of % s S u U d D 1..9
  const char* error = "";  // why letter is 0
};
PlaceholderAt ReadPlaceholder(std::string_view text, std::size_t at);

}  // namespace proxymux::pgsql
