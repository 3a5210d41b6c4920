// Splits SQL text into tokens by PostgreSQL's lexical rules (manual, "Lexical Structure"): every
// kind of quoting, nested comments, literals that continue on the next line. Made for query
// templates: the bytes of a placeholder such as %s or %% are ordinary characters inside quotes and
// operator characters outside, so a token's extent is the same before and after expansion as long
// as what is inserted cannot end the token.
//
// Tokens cover everything but white space, in order. The text is not copied. Never fails: a quote
// or comment that is not closed reaches to the end and is marked.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace proxymux::pgsql {

enum class TokenKind {
  kLiteral,            // '...', with what continues it
  kEscapeLiteral,      // E'...', backslashes escape
  kBitLiteral,         // B'...' or X'...'
  kNationalLiteral,    // N'...', a plain literal with a type
  kUnicodeLiteral,     // U&'...'
  kDollarLiteral,      // $tag$...$tag$
  kIdentifier,         // bare word, also a keyword
  kQuotedIdentifier,   // "..."
  kUnicodeIdentifier,  // U&"..."
  kNumber,
  kParameter,    // $1
  kOperator,     // a run of operator characters, and :: := ..
  kPunctuation,  // one of ( ) [ ] , . : ;
  kComment,      // -- to the end of the line, or /* */ with those nested in it
  kOther,        // a byte that begins no token
};

struct Token {
  TokenKind kind;
  std::size_t begin;  // offset of the first byte, quotes and prefix included
  std::size_t end;    // offset behind the last byte
  bool unterminated = false;

  std::string_view In(std::string_view text) const { return text.substr(begin, end - begin); }
  friend bool operator==(const Token&, const Token&) = default;
};

// With standard_conforming_strings off, a backslash in '...' and N'...' escapes as it does in
// E'...'.
enum class BackslashInLiteral { kOrdinary, kEscapes };

std::vector<Token> LexSql(std::string_view text,
                          BackslashInLiteral backslash = BackslashInLiteral::kOrdinary);

// The segments of a literal's inside, quotes off and continuations split: 'a' <newline> 'b' has the
// two segments a and b. For kLiteral tokens.
std::vector<Token> LiteralSegments(std::string_view text, const Token& literal);

// Whether a token is the bare word `lower_case_word`, in any case.
bool IsWord(std::string_view text, const Token& token, std::string_view lower_case_word);
// Whether a token is the punctuation or operator `symbol`.
bool IsSymbol(std::string_view text, const Token& token, std::string_view symbol);
// ASCII lower case, as PostgreSQL folds a bare identifier.
std::string LowerAscii(std::string_view text);

}  // namespace proxymux::pgsql
