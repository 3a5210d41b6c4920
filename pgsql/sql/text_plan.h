// A query template with a key written into it: every value escaped.
//
// The rule: the statement has the tokens of its template, kind by kind and place by place, as the
// session's lexer sees them; a key that would change them is refused. What a lookup costs depends
// on where its placeholders stand:
//   - all in plain literals, behind ASCII, no backslash in these literals nor in the key: escaped
//     and appended, nothing else. A quote is doubled, so the literal cannot end early.
//   - everywhere else (comments, dollar quotes, identifiers, E'', U&'', B'', outside of quotes) and
//     with backslashes: the statement and the sample are split into tokens and compared.
//
// A server's reload may switch standard_conforming_strings while a statement is on its way. So a
// plain literal with a backslash is never sent: it is written as E'...', where backslashes mean
// what the session's setting, as far as it is known, would have made of them in '...'. Both
// settings then read the same tokens.
//
// Differs from Postfix in these: inside of E'...' the value's backslashes are escaped as well, and
// outside of quotes only a plain number is inserted. With UnquotedValues::kAny a template with a
// placeholder outside of quotes is expanded as Postfix does, unchecked.
//
// Immutable. Append writes behind what `*out` holds, which keeps its capacity between lookups.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/literal_escaper.h"
#include "pgsql/sql/sample_query.h"
#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {

enum class UnquotedValues { kNumbers, kAny };

// All but kDone are RETRY, with a warning: Postfix has an error there, or is injected into.
enum class Expansion {
  kDone,
  kNotEscapable,  // a value has no form in the connection's encoding
  kNotANumber,    // a value that is not a plain number would stand outside of quotes
  kLeavesToken,   // a value would end the token that it stands in, or join another one
};
// The reason, for the log, and what to do.
std::string_view ExpansionText(Expansion expansion);

class TextPlan {
 public:
  TextPlan() = default;
  TextPlan(SampleQuery sample, UnquotedValues unquoted);

  Expansion Append(const KeyParts& key, LiteralEscaper& escaper, std::string* out) const;

 private:
  // Literal text, then (unless it is the last piece) one placeholder.
  struct Piece {
    std::string text;
    bool has_field = false;
    Placeholder placeholder;
    PlaceholderContext context = PlaceholderContext::kLiteral;
  };
  struct Form {
    std::vector<Piece> pieces;
    bool checked = false;
  };
  enum class Literals { kPlain, kEscaped };  // '...' as they stand, or as E'...'

  Form MakeForm(Literals literals, BackslashInLiteral backslash,
                const LiteralEscaper& encoding) const;
  Expansion Fill(const Form& form, const KeyParts& key, LiteralEscaper& escaper,
                 std::string* out) const;

  SampleQuery sample_;
  UnquotedValues unquoted_ = UnquotedValues::kNumbers;
  bool has_backslash_ = false;  // in a plain literal
  // What stands in the sample depends on the encoding: a byte of a character may look like a token.
  bool needs_encoding_ = false;
  Form plain_;    // for keys without a backslash, when has_backslash_ is not set
  Form escaped_;  // otherwise
  Form legacy_;   // the same, when standard_conforming_strings is off and has_backslash_ is set
};

}  // namespace proxymux::pgsql
