#include "pgsql/sql/text_plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace proxymux::pgsql {
namespace {

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// The text with every byte of a longer character replaced by one that is part of a name: what looks
// like ASCII afterwards is ASCII. The length stays.
std::string Masked(std::string_view text, const LiteralEscaper& encoding) {
  std::string masked;
  masked.reserve(text.size());
  while (masked.size() < text.size()) {
    const std::string_view rest = text.substr(masked.size());
    if (IsAscii(rest.front())) {
      masked += rest.front();
    } else {
      masked.append(encoding.CharacterLength(rest), '\x80');
    }
  }
  return masked;
}

// A value inserted into a statement, and where it stands in the sample.
struct Inserted {
  std::size_t at;
  std::size_t length;
};

// Whether `text` has the tokens of `sample`, each behind its own.
bool KeepsTokens(std::string_view text, std::string_view sample,
                 const std::vector<Inserted>& inserted, const LiteralEscaper& encoding) {
  const std::vector<Token> wanted = LexSql(Masked(sample, encoding));
  const std::vector<Token> found = LexSql(Masked(text, encoding));
  std::size_t next = 0;
  std::size_t longer = 0;                   // by so much are the values that were passed,
  std::size_t shorter = 0;                  // less their places in the sample
  const auto moved = [&](std::size_t at) {  // called with rising offsets
    for (; next < inserted.size() && inserted[next].at < at; ++next) {
      longer += inserted[next].length;
      ++shorter;
    }
    return at + longer - shorter;
  };
  return std::equal(wanted.begin(), wanted.end(), found.begin(), found.end(),
                    [&](const Token& want, const Token& have) {
                      const std::size_t begin = moved(want.begin);
                      return want.kind == have.kind && want.unterminated == have.unterminated &&
                             begin == have.begin && moved(want.end) == have.end;
                    });
}

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

// For the inside of E'...'.
bool AppendWithBackslashes(std::string_view value, LiteralEscaper& escaper, std::string* out) {
  const std::size_t begin = out->size();
  if (!escaper.Escape(value, out)) return false;
  if (escaper.DoublesBackslashes() || out->find('\\', begin) == std::string::npos) return true;
  const std::string escaped = out->substr(begin);
  const std::string masked = Masked(escaped, escaper);
  out->resize(begin);
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (masked[i] == '\\') *out += '\\';
    *out += escaped[i];
  }
  return true;
}

class AsciiOnly final : public LiteralEscaper {
  bool Escape(std::string_view, std::string*) override { return false; }
};

bool IsPlain(const Token& token) {
  return token.kind == TokenKind::kLiteral || token.kind == TokenKind::kNationalLiteral;
}

}  // namespace

std::string_view ExpansionText(Expansion expansion) {
  switch (expansion) {
    case Expansion::kDone:
      return "";
    case Expansion::kNotEscapable:
      return "the key cannot be written in the connection's encoding (the table's \"encoding\")";
    case Expansion::kNotANumber:
      return "the key would stand outside of quotes and is not a plain number: quote the "
             "placeholder in the query ('%s'), or set statement_mode = prepared";
    case Expansion::kLeavesToken:
      return "the key would end the comment, name or literal of the query that it stands in: write "
             "the placeholder in plain quotes ('%s')";
  }
  return "";
}

TextPlan::TextPlan(SampleQuery sample, UnquotedValues unquoted)
    : sample_(std::move(sample)), unquoted_(unquoted) {
  const std::string& text = sample_.text;
  const std::vector<Token> tokens = LexSql(text);
  has_backslash_ = std::any_of(tokens.begin(), tokens.end(), [&](const Token& token) {
    return IsPlain(token) && token.In(text).find('\\') != std::string_view::npos;
  });
  const AsciiOnly bytes;
  plain_ = MakeForm(Literals::kPlain, BackslashInLiteral::kOrdinary, bytes);
  escaped_ = MakeForm(Literals::kEscaped, BackslashInLiteral::kOrdinary, bytes);
  legacy_ = MakeForm(Literals::kEscaped, BackslashInLiteral::kEscapes, bytes);
  needs_encoding_ = !std::all_of(text.begin(), text.end(), IsAscii) &&
                    (plain_.checked || text.find('\\') != std::string::npos);
}

TextPlan::Form TextPlan::MakeForm(Literals literals, BackslashInLiteral backslash,
                                  const LiteralEscaper& encoding) const {
  const std::string& text = sample_.text;
  const std::string masked = Masked(text, encoding);
  const std::vector<Token> tokens = LexSql(masked, backslash);
  Form form;
  Piece piece;
  bool has_unquoted = false;
  auto token = tokens.begin();
  auto placeholder = sample_.placeholders.begin();
  bool rewritten = false;  // what follows stands in a literal that was not E'...' before
  for (std::size_t i = 0; i < text.size(); ++i) {
    while (token != tokens.end() && token->end <= i) ++token;
    if (token == tokens.end() || i <= token->begin) {
      rewritten = token != tokens.end() && i == token->begin && literals == Literals::kEscaped &&
                  IsPlain(*token) &&
                  (token->In(masked).find('\\') != std::string_view::npos ||
                   (placeholder != sample_.placeholders.end() && placeholder->at < token->end));
    }
    if (rewritten && i == token->begin) {
      // PostgreSQL's lexer makes N'...' the word NCHAR and a literal.
      piece.text += token->kind == TokenKind::kNationalLiteral ? " NCHAR E" : " E";
      if (token->kind == TokenKind::kNationalLiteral) continue;
    }
    if (placeholder == sample_.placeholders.end() || placeholder->at != i) {
      if (rewritten && backslash == BackslashInLiteral::kOrdinary && masked[i] == '\\') {
        piece.text += '\\';
      }
      piece.text += text[i];
      continue;
    }
    piece.has_field = true;
    piece.placeholder = *placeholder++;
    piece.context = rewritten ? PlaceholderContext::kEscapeLiteral : ContextOf(token->kind);
    if (piece.context == PlaceholderContext::kEscapeLiteral &&
        (!rewritten || backslash == BackslashInLiteral::kEscapes)) {
      std::size_t run = 0;
      while (i - run > token->begin && masked[i - run - 1] == '\\') ++run;
      if (run % 2 == 1) piece.context = PlaceholderContext::kAfterBackslash;
    }
    has_unquoted = has_unquoted || piece.context == PlaceholderContext::kUnquoted;
    // Half a character in front would make another one with the value's first byte.
    form.checked = form.checked || piece.context != PlaceholderContext::kLiteral ||
                   (i > 0 && !IsAscii(text[i - 1]));
    form.pieces.push_back(std::exchange(piece, Piece()));
  }
  form.pieces.push_back(std::move(piece));
  if (has_unquoted && unquoted_ == UnquotedValues::kAny) form.checked = false;
  return form;
}

Expansion TextPlan::Append(const KeyParts& key, LiteralEscaper& escaper, std::string* out) const {
  // Every value is a part of the key.
  const bool plain = !has_backslash_ && key.key().find('\\') == std::string_view::npos;
  const bool legacy = has_backslash_ && escaper.DoublesBackslashes();
  if (needs_encoding_) {
    return Fill(
        MakeForm(plain ? Literals::kPlain : Literals::kEscaped,
                 legacy ? BackslashInLiteral::kEscapes : BackslashInLiteral::kOrdinary, escaper),
        key, escaper, out);
  }
  return Fill(plain ? plain_ : legacy ? legacy_ : escaped_, key, escaper, out);
}

Expansion TextPlan::Fill(const Form& form, const KeyParts& key, LiteralEscaper& escaper,
                         std::string* out) const {
  const std::size_t begin = out->size();
  std::string sample;
  std::vector<Inserted> inserted;
  for (const Piece& piece : form.pieces) {
    out->append(piece.text);
    if (form.checked) sample.append(piece.text);
    if (!piece.has_field) continue;
    const std::string_view value = piece.placeholder.In(key);
    std::size_t from = out->size();
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
          return Expansion::kLeavesToken;
        if (!AppendWithBackslashes(value, escaper, out)) return Expansion::kNotEscapable;
        break;
      case PlaceholderContext::kEscapeLiteral:
        if (!AppendWithBackslashes(value, escaper, out)) return Expansion::kNotEscapable;
        break;
      case PlaceholderContext::kUnquoted:
        if (unquoted_ == UnquotedValues::kAny) {
          if (!escaper.Escape(value, out)) return Expansion::kNotEscapable;
          break;
        }
        if (!IsNumberValue(value, MaySignFollow(*out))) return Expansion::kNotANumber;
        out->append(value);
        if (value.front() == '-') {  // a token of its own, which MaySignFollow keeps apart
          sample += '-';
          ++from;
        }
        break;
    }
    if (!form.checked) continue;
    inserted.push_back({sample.size(), out->size() - from});
    sample += SampleQuery::kValue;
  }
  if (form.checked &&
      !KeepsTokens(std::string_view(*out).substr(begin), sample, inserted, escaper)) {
    return Expansion::kLeavesToken;
  }
  return Expansion::kDone;
}

}  // namespace proxymux::pgsql
