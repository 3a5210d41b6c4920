#include "pgsql/query_template.h"

#include <algorithm>
#include <utility>

namespace proxymux::pgsql {
namespace {

bool IsNumberValue(std::string_view value, bool sign_allowed) {
  if (sign_allowed && !value.empty() && value.front() == '-') value.remove_prefix(1);
  const std::size_t dot = value.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (dot == std::string_view::npos) return digits(value);
  return digits(value.substr(0, dot)) && digits(value.substr(dot + 1));
}

// A '-' value must not meet another '-' and begin a comment, nor become part of an operator: != and
// the like, unlike =, take a '-' that follows at once.
bool MaySignFollow(std::string_view before) {
  if (before.empty()) return true;
  switch (before.back()) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '(':
    case ',':
      return true;
    case '=':
    case '<':
    case '>': {
      constexpr std::string_view kOperatorBytes = "~!@#^&|`?+-*/%<>=";
      const std::size_t end = before.find_last_not_of(kOperatorBytes);
      const std::string_view op = before.substr(end == std::string_view::npos ? 0 : end + 1);
      return op.find_first_of("~!@#^&|`?%") == std::string_view::npos;
    }
    default:
      return false;
  }
}

// Doubles every backslash in out from `begin` on.
void DoubleBackslashes(std::size_t begin, std::string* out) {
  const auto more = std::count(out->begin() + static_cast<std::ptrdiff_t>(begin), out->end(), '\\');
  if (more == 0) return;
  std::size_t from = out->size();
  std::size_t to = from + static_cast<std::size_t>(more);
  out->resize(to);
  while (from > begin) {
    const char c = (*out)[--from];
    (*out)[--to] = c;
    if (c == '\\') (*out)[--to] = c;
  }
}

bool AppendForEscapeLiteral(std::string_view value, LiteralEscaper& escaper, std::string* out) {
  if (escaper.DoublesBackslashes()) return escaper.Escape(value, out);
  if (escaper.BackslashMayBeTrailByte() && value.find('\\') != std::string_view::npos &&
      std::any_of(value.begin(), value.end(),
                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return false;
  }
  const std::size_t begin = out->size();
  if (!escaper.Escape(value, out)) return false;
  DoubleBackslashes(begin, out);
  return true;
}

PlaceholderContext ContextOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kLiteral:
      return PlaceholderContext::kLiteral;
    case TokenKind::kEscapeLiteral:
      return PlaceholderContext::kEscapeLiteral;
    case TokenKind::kBitLiteral:
    case TokenKind::kNationalLiteral:
    case TokenKind::kUnicodeLiteral:
      return PlaceholderContext::kOtherLiteral;
    case TokenKind::kDollarLiteral:
      return PlaceholderContext::kDollarLiteral;
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier:
      return PlaceholderContext::kQuotedIdentifier;
    case TokenKind::kComment:
      return PlaceholderContext::kComment;
    case TokenKind::kIdentifier:
    case TokenKind::kNumber:
    case TokenKind::kParameter:
    case TokenKind::kOperator:
    case TokenKind::kPunctuation:
    case TokenKind::kOther:
      return PlaceholderContext::kUnquoted;
  }
  return PlaceholderContext::kUnquoted;
}

bool IsOpen(PlaceholderContext context) {
  switch (context) {
    case PlaceholderContext::kLiteral:
    case PlaceholderContext::kEscapeLiteral:
    case PlaceholderContext::kAfterBackslash:
    case PlaceholderContext::kOtherLiteral:
      return false;
    case PlaceholderContext::kDollarLiteral:
    case PlaceholderContext::kQuotedIdentifier:
    case PlaceholderContext::kComment:
    case PlaceholderContext::kUnquoted:
      return true;
  }
  return true;
}

}  // namespace

PlaceholderAt ReadPlaceholder(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return {0, "'%' at the end; write %% for a percent sign"};
  const char letter = text[at + 1];
  switch (letter) {
    case '%':
    case 's':
    case 'S':
    case 'u':
    case 'U':
    case 'd':
    case 'D':
      return {letter, ""};
    default:
      if (letter >= '1' && letter <= '9') return {letter, ""};
      return {0,
              "'%' must be followed by one of s S u U d D 1-9 or %; write %% for a percent sign"};
  }
}

std::variant<QueryTemplate, TemplateError> QueryTemplate::Compile(std::string_view query,
                                                                  UnquotedValues unquoted) {
  QueryTemplate result;
  result.source_ = query;
  result.unquoted_ = unquoted;
  Piece piece;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i] != '%') {
      piece.text.push_back(query[i]);
      continue;
    }
    const PlaceholderAt placeholder = ReadPlaceholder(query, i);
    if (placeholder.letter == 0) return TemplateError{i, placeholder.error};
    ++i;
    piece.offset = i - 1;
    switch (placeholder.letter) {
      case '%':
        piece.text.push_back('%');
        continue;
      case 's':
      case 'S':
        piece.field = KeyField::kKey;
        break;
      case 'u':
      case 'U':
        piece.field = KeyField::kUser;
        result.requirements_.user = true;
        break;
      case 'd':
      case 'D':
        piece.field = KeyField::kDomain;
        result.requirements_.domain = true;
        break;
      default:
        piece.field = KeyField::kLabel;
        piece.label = static_cast<std::size_t>(placeholder.letter - '0');
        result.requirements_.domain = true;
        result.requirements_.labels = std::max(result.requirements_.labels, piece.label);
        break;
    }
    piece.has_field = true;
    ++result.placeholder_count_;
    result.pieces_.push_back(std::move(piece));
    piece = Piece();
  }
  piece.has_field = false;
  result.pieces_.push_back(std::move(piece));

  const std::string_view source = result.source_;
  result.tokens_ = LexSql(source);
  const bool backslash =
      std::any_of(result.tokens_.begin(), result.tokens_.end(), [&](const Token& token) {
        return (token.kind == TokenKind::kLiteral || token.kind == TokenKind::kNationalLiteral) &&
               token.In(source).find('\\') != std::string_view::npos;
      });
  if (backslash) {
    const std::vector<Token> legacy = LexSql(source, BackslashInLiteral::kEscapes);
    result.legacy_pieces_ = result.pieces_;
    SetContexts(source, legacy, BackslashInLiteral::kEscapes, &result.legacy_pieces_);
    result.depends_on_backslash_rule_ = legacy != result.tokens_;
  }
  SetContexts(source, result.tokens_, BackslashInLiteral::kOrdinary, &result.pieces_);
  result.has_open_placeholder_ =
      std::any_of(result.pieces_.begin(), result.pieces_.end(),
                  [](const Piece& each) { return each.has_field && IsOpen(each.context); });
  result.PlanBind();
  return result;
}

void QueryTemplate::SetContexts(std::string_view source, const std::vector<Token>& tokens,
                                BackslashInLiteral backslash, Pieces* pieces) {
  std::size_t at = 0;
  for (Piece& piece : *pieces) {
    if (!piece.has_field) continue;
    while (at < tokens.size() && tokens[at].end <= piece.offset) ++at;
    if (at == tokens.size()) return;  // cannot be: a '%' is always inside of a token
    const TokenKind kind = tokens[at].kind;
    piece.context = ContextOf(kind);
    const bool escapes = kind == TokenKind::kEscapeLiteral ||
                         (backslash == BackslashInLiteral::kEscapes &&
                          (kind == TokenKind::kLiteral || kind == TokenKind::kNationalLiteral));
    if (!escapes) continue;
    std::size_t run = 0;
    while (piece.offset - run > tokens[at].begin && source[piece.offset - run - 1] == '\\') ++run;
    if (run % 2 == 1) piece.context = PlaceholderContext::kAfterBackslash;
  }
}

std::string_view QueryTemplate::FieldOf(const Piece& piece, const KeyParts& key) {
  switch (piece.field) {
    case KeyField::kKey:
      return key.key();
    case KeyField::kUser:
      return key.user();
    case KeyField::kDomain:
      return key.domain();
    case KeyField::kLabel:
      return key.Label(piece.label);
  }
  return {};
}

Expansion QueryTemplate::AppendText(const KeyParts& key, LiteralEscaper& escaper,
                                    std::string* out) const {
  const bool legacy = !legacy_pieces_.empty() && escaper.DoublesBackslashes();
  for (const Piece& piece : legacy ? legacy_pieces_ : pieces_) {
    out->append(piece.text);
    if (!piece.has_field) continue;
    const std::string_view value = FieldOf(piece, key);
    switch (piece.context) {
      case PlaceholderContext::kLiteral:
      case PlaceholderContext::kOtherLiteral:
      case PlaceholderContext::kDollarLiteral:
      case PlaceholderContext::kQuotedIdentifier:
      case PlaceholderContext::kComment:
        if (!escaper.Escape(value, out)) return Expansion::kNotEscapable;
        break;
      case PlaceholderContext::kAfterBackslash:
        // The template's backslash takes the first character: were it a quote or a backslash, what
        // escapes it would be undone.
        if (value.empty() || value.front() == '\'' || value.front() == '\\')
          return Expansion::kNotEscapable;
        if (!AppendForEscapeLiteral(value, escaper, out)) return Expansion::kNotEscapable;
        break;
      case PlaceholderContext::kEscapeLiteral:
        if (!AppendForEscapeLiteral(value, escaper, out)) return Expansion::kNotEscapable;
        break;
      case PlaceholderContext::kUnquoted:
        if (unquoted_ == UnquotedValues::kAny) {
          if (!escaper.Escape(value, out)) return Expansion::kNotEscapable;
        } else if (IsNumberValue(value, MaySignFollow(*out))) {
          out->append(value);
        } else {
          return Expansion::kNotANumber;
        }
        break;
    }
  }
  return Expansion::kDone;
}

void QueryTemplate::AppendParameter(std::size_t index, const KeyParts& key,
                                    std::string* out) const {
  for (const Piece& piece : parameters_[index]) {
    out->append(piece.text);
    if (piece.has_field) out->append(FieldOf(piece, key));
  }
}

}  // namespace proxymux::pgsql
