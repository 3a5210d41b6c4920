#include "pgsql/sql/sql_lexer.h"

#include <cstring>

namespace proxymux::pgsql {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool IsNewline(char c) { return c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNameByte(char c) { return IsNameStart(c) || IsDigit(c) || c == '$'; }
bool IsOneOf(char c, const char* set) { return c != '\0' && std::strchr(set, c) != nullptr; }
bool IsOperatorByte(char c) { return IsOneOf(c, "~!@#^&|`?+-*/%<>="); }

class Lexer {
 public:
  Lexer(std::string_view text, BackslashInLiteral backslash) : text_(text), backslash_(backslash) {}

  std::vector<Token> Run() {
    while (true) {
      while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
      if (at_ >= text_.size()) return std::move(tokens_);
      begin_ = at_;
      closed_ = true;
      const TokenKind kind = Next();
      tokens_.push_back({kind, begin_, at_, !closed_});
    }
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  TokenKind Next() {
    const char c = Peek();
    const char next = Peek(1);
    if (c == '\'') return Quoted(TokenKind::kLiteral, 1);
    if (c == '"') return QuotedName(TokenKind::kQuotedIdentifier, 1);
    if (c == '-' && next == '-') return LineComment();
    if (c == '/' && next == '*') return BlockComment();
    if (c == '$') return Dollar();
    if (IsNameStart(c)) {
      // A letter is a prefix only when the quote follows at once.
      if (next == '\'') {
        if (IsOneOf(c, "eE")) return Quoted(TokenKind::kEscapeLiteral, 2);
        if (IsOneOf(c, "bBxX")) return Quoted(TokenKind::kBitLiteral, 2);
        if (IsOneOf(c, "nN")) return Quoted(TokenKind::kNationalLiteral, 2);
      }
      if (IsOneOf(c, "uU") && next == '&') {
        if (Peek(2) == '\'') return Quoted(TokenKind::kUnicodeLiteral, 3);
        if (Peek(2) == '"') return QuotedName(TokenKind::kUnicodeIdentifier, 3);
      }
      while (at_ < text_.size() && IsNameByte(text_[at_])) ++at_;
      return TokenKind::kIdentifier;
    }
    if (IsDigit(c) || (c == '.' && IsDigit(next))) return Number();
    if ((c == ':' && (next == ':' || next == '=')) || (c == '.' && next == '.')) {
      at_ += 2;
      return TokenKind::kOperator;
    }
    if (IsOneOf(c, "()[],.:;")) {
      ++at_;
      return TokenKind::kPunctuation;
    }
    if (IsOperatorByte(c)) return Operator();
    ++at_;
    return TokenKind::kOther;
  }

  bool BackslashEscapes(TokenKind kind) const {
    if (kind == TokenKind::kEscapeLiteral) return true;
    return backslash_ == BackslashInLiteral::kEscapes &&
           (kind == TokenKind::kLiteral || kind == TokenKind::kNationalLiteral);
  }

  TokenKind Quoted(TokenKind kind, std::size_t prefix) {
    const bool escapes = BackslashEscapes(kind);
    // In bit literals a doubled quote is the end of one literal and the start of another.
    const bool doubles = kind != TokenKind::kBitLiteral;
    at_ += prefix;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && escapes && at_ + 1 < text_.size()) {
        at_ += 2;
      } else if (c != '\'') {
        ++at_;
      } else if (doubles && Peek(1) == '\'') {
        at_ += 2;
      } else {
        ++at_;
        const std::size_t more = ContinuationFrom(at_);
        if (more == std::string_view::npos) return kind;
        at_ = more + 1;
      }
    }
    closed_ = false;
    return kind;
  }

  // Where the opening quote of a continuation stands: white space with a newline in it, "--"
  // comments allowed, then a quote.
  std::size_t ContinuationFrom(std::size_t at) const {
    bool newline = false;
    while (at < text_.size()) {
      const char c = text_[at];
      if (IsSpace(c)) {
        newline = newline || IsNewline(c);
        ++at;
      } else if (c == '-' && at + 1 < text_.size() && text_[at + 1] == '-') {
        while (at < text_.size() && !IsNewline(text_[at])) ++at;
      } else {
        return c == '\'' && newline ? at : std::string_view::npos;
      }
    }
    return std::string_view::npos;
  }

  TokenKind QuotedName(TokenKind kind, std::size_t prefix) {
    at_ += prefix;
    while (at_ < text_.size()) {
      if (text_[at_] != '"') {
        ++at_;
      } else if (Peek(1) == '"') {
        at_ += 2;
      } else {
        ++at_;
        return kind;
      }
    }
    closed_ = false;
    return kind;
  }

  TokenKind LineComment() {
    while (at_ < text_.size() && !IsNewline(text_[at_])) ++at_;
    return TokenKind::kComment;
  }

  TokenKind BlockComment() {
    at_ += 2;
    for (int depth = 1; at_ < text_.size();) {
      if (Peek() == '/' && Peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (Peek() == '*' && Peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) return TokenKind::kComment;
      } else {
        ++at_;
      }
    }
    closed_ = false;
    return TokenKind::kComment;
  }

  TokenKind Dollar() {
    if (IsDigit(Peek(1))) {
      ++at_;
      while (IsDigit(Peek())) ++at_;
      return TokenKind::kParameter;
    }
    std::size_t end = at_ + 1;
    if (end < text_.size() && IsNameStart(text_[end])) {
      while (end < text_.size() && IsNameByte(text_[end]) && text_[end] != '$') ++end;
    }
    if (end >= text_.size() || text_[end] != '$') {
      ++at_;
      return TokenKind::kOther;
    }
    const std::string_view delimiter = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(delimiter, end + 1);
    closed_ = close != std::string_view::npos;
    at_ = closed_ ? close + delimiter.size() : text_.size();
    return TokenKind::kDollarLiteral;
  }

  TokenKind Number() {
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && Peek(1) != '.') {  // 1..10 is a range
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (IsOneOf(Peek(), "eE")) {
      const std::size_t sign = IsOneOf(Peek(1), "+-") ? 2 : 1;
      if (IsDigit(Peek(sign))) {
        at_ += sign;
        while (IsDigit(Peek())) ++at_;
      }
    }
    return TokenKind::kNumber;
  }

  TokenKind Operator() {
    bool special = false;  // holds a character that lets an operator end in + or -
    while (IsOperatorByte(Peek())) {
      if (at_ > begin_ && ((Peek() == '-' && Peek(1) == '-') || (Peek() == '/' && Peek(1) == '*')))
        break;
      special = special || IsOneOf(Peek(), "~!@#^&|`?%");
      ++at_;
    }
    while (!special && at_ - begin_ > 1 && IsOneOf(text_[at_ - 1], "+-")) --at_;
    return TokenKind::kOperator;
  }

  const std::string_view text_;
  const BackslashInLiteral backslash_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  bool closed_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> LexSql(std::string_view text, BackslashInLiteral backslash) {
  return Lexer(text, backslash).Run();
}

std::vector<Token> LiteralSegments(std::string_view text, const Token& literal) {
  std::vector<Token> segments;
  std::size_t at = literal.begin;
  while (at < literal.end) {
    const std::size_t begin = at + 1;
    for (at = begin; at < literal.end; ++at) {
      if (text[at] != '\'') continue;
      if (at + 1 >= literal.end || text[at + 1] != '\'') break;
      ++at;
    }
    segments.push_back({literal.kind, begin, at, at >= literal.end});
    if (at < literal.end) ++at;  // the closing quote
    while (at < literal.end && text[at] != '\'') {
      if (text[at] == '-') {  // a comment between segments may hold quotes
        while (at < literal.end && !IsNewline(text[at])) ++at;
      } else {
        ++at;
      }
    }
  }
  return segments;
}

bool IsWord(std::string_view text, const Token& token, std::string_view lower_case_word) {
  if (token.kind != TokenKind::kIdentifier) return false;
  const std::string_view word = token.In(text);
  if (word.size() != lower_case_word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower_case_word[i])
      return false;
  }
  return true;
}

bool IsSymbol(std::string_view text, const Token& token, std::string_view symbol) {
  return (token.kind == TokenKind::kPunctuation || token.kind == TokenKind::kOperator) &&
         token.In(text) == symbol;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace proxymux::pgsql
