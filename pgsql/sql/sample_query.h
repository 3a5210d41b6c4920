// A query template as its author sees it: %% undone, and the digit 7 where each placeholder stands.
//
// A digit fits everywhere that a value may go (inside of quotes and comments, outside as a number,
// in the middle of a name), so the sample's tokens are those that every statement made from the
// template must have.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pgsql/sql/key_parts.h"
#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {

// What a placeholder stands for.
enum class KeyField : char { kKey, kUser, kDomain, kLabel };

struct Placeholder {
  KeyField field = KeyField::kKey;
  std::size_t label = 0;   // from the right, from 1; kLabel only
  std::size_t at = 0;      // in the sample
  std::size_t offset = 0;  // of its '%' in the template

  std::string_view In(const KeyParts& key) const;
};

struct SampleQuery {
  static constexpr char kValue = '7';

  std::string text;
  std::vector<Placeholder> placeholders;
};

// The lexical surroundings of a placeholder.
enum class PlaceholderContext {
  kLiteral,           // '...' and N'...', also behind a type name
  kEscapeLiteral,     // E'...'
  kAfterBackslash,    // E'...\%s': the value's first character is what the backslash escapes
  kOtherLiteral,      // B'', X'', U&''
  kDollarLiteral,     // $tag$...$tag$
  kQuotedIdentifier,  // "..." and U&"..."
  kComment,
  kUnquoted,
};
PlaceholderContext ContextOf(TokenKind kind);

}  // namespace proxymux::pgsql
