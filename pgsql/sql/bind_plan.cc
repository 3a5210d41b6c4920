#include "pgsql/sql/bind_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pgsql/sql/statement_class.h"

namespace proxymux::pgsql {
namespace {

// A literal behind one of these bare words is an expression of its own. Behind any other word it
// has, or may have, a type (text 'x', interval 'x'), or is no expression at all. Sorted.
constexpr std::array<std::string_view, 30> kBeforeExpression = {
    "all",  "and",    "asymmetric", "between",  "both",    "case",      "distinct", "else",
    "for",  "from",   "having",     "ilike",    "in",      "leading",   "like",     "limit",
    "not",  "offset", "on",         "or",       "placing", "returning", "select",   "symmetric",
    "then", "to",     "trailing",   "variadic", "when",    "where",
};
static_assert(std::is_sorted(kBeforeExpression.begin(), kBeforeExpression.end()));

constexpr std::size_t kMaxParameters = 65535;  // a 16-bit count in the protocol

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

const char* WhyNotBound(TokenKind kind) {
  if (kind == TokenKind::kNationalLiteral) {
    return "a placeholder stands in a B'', X'', N'' or U&'' literal";
  }
  switch (ContextOf(kind)) {
    case PlaceholderContext::kLiteral:
      return "";
    case PlaceholderContext::kEscapeLiteral:
    case PlaceholderContext::kAfterBackslash:
      return "a placeholder stands in E'...'";
    case PlaceholderContext::kOtherLiteral:
      return "a placeholder stands in a B'', X'', N'' or U&'' literal";
    case PlaceholderContext::kDollarLiteral:
      return "a placeholder stands in a dollar-quoted literal";
    case PlaceholderContext::kQuotedIdentifier:
      return "a placeholder stands in a quoted identifier";
    case PlaceholderContext::kComment:
      return "a placeholder stands in a comment";
    case PlaceholderContext::kUnquoted:
      return "a placeholder stands outside of quotes";
  }
  return "";
}

// Whether what stands behind tokens [0, count) is an element of ORDER BY, GROUP BY or DISTINCT ON.
// PostgreSQL refuses a literal there and takes a parameter.
bool InSortList(std::string_view text, const std::vector<Token>& tokens, std::size_t count) {
  std::size_t level = 0;   // of parentheses closed to the right of here
  std::size_t opened = 0;  // parentheses around the element: ORDER BY ('%s')
  for (std::size_t at = count; at-- > 0;) {
    if (IsSymbol(text, tokens[at], ")")) {
      ++level;
    } else if (IsSymbol(text, tokens[at], "(")) {
      if (level == 0) {
        if (at >= 2 && IsWord(text, tokens[at - 1], "on") &&
            IsWord(text, tokens[at - 2], "distinct")) {
          return true;
        }
        if (at + opened + 1 < count) return false;  // the argument of something
        ++opened;
        continue;
      }
      --level;
    } else if (level == 0) {
      if (IsWord(text, tokens[at], "by")) return true;
      for (const std::string_view clause :
           {"select", "from", "where", "having", "limit", "offset", "values", "union", "intersect",
            "except", "when", "set", "returning", "and", "or", "on"}) {
        if (IsWord(text, tokens[at], clause)) return false;
      }
    }
  }
  return false;
}

// Why a literal behind tokens [0, count) cannot become a parameter; empty when it can. No comments
// among the tokens.
std::string WhyTyped(std::string_view text, const std::vector<Token>& tokens, std::size_t count) {
  if (count == 0) return "";
  const Token& before = tokens[count - 1];
  const auto word_at = [&](std::size_t back, std::string_view word) {
    return count >= back && IsWord(text, tokens[count - back], word);
  };
  const std::string typed =
      "the literal behind " + std::string(before.In(text)) + " has, or may have, a type";
  switch (before.kind) {
    case TokenKind::kOperator:
      return "";
    case TokenKind::kPunctuation: {
      const std::string_view symbol = before.In(text);
      if ((symbol == "," || symbol == "(") && InSortList(text, tokens, count)) {
        return "a literal is an element of ORDER BY, GROUP BY or DISTINCT ON";
      }
      return symbol == "(" || symbol == "," || symbol == "[" || symbol == ":" || symbol == ";"
                 ? ""
                 : typed;
    }
    case TokenKind::kIdentifier: {
      if (count >= 2 && IsSymbol(text, tokens[count - 2], ".")) return typed;
      if (word_at(1, "zone")) return word_at(2, "time") && word_at(3, "at") ? "" : typed;
      const std::string word = LowerAscii(before.In(text));
      return std::binary_search(kBeforeExpression.begin(), kBeforeExpression.end(),
                                std::string_view(word))
                 ? ""
                 : typed;
    }
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier:
    case TokenKind::kNumber:
    case TokenKind::kParameter:
    case TokenKind::kLiteral:
    case TokenKind::kEscapeLiteral:
    case TokenKind::kBitLiteral:
    case TokenKind::kNationalLiteral:
    case TokenKind::kUnicodeLiteral:
    case TokenKind::kDollarLiteral:
    case TokenKind::kOther:
    case TokenKind::kComment:
      return typed;
  }
  return typed;
}

// Why no statement with such tokens is bound; empty when it may be.
std::string WhyText(std::string_view text, const std::vector<Token>& tokens) {
  const std::size_t statements = CountStatements(text, tokens);
  if (statements == 0) return "it holds no statement";
  if (statements > 1) return "it holds several statements";
  for (const Token& token : tokens) {
    if (token.unterminated) return "a quote or comment is not closed";
    if (token.kind == TokenKind::kParameter) {
      return "it has a parameter of its own, " + std::string(token.In(text));
    }
  }
  return "";
}

}  // namespace

BindPlan::BindPlan(const SampleQuery& sample, Bound bound) {
  const std::string_view text = sample.text;
  const std::vector<Token> tokens = LexSql(text);
  text_reason_ = WhyText(text, tokens);
  std::vector<Token> before;  // without comments
  std::size_t done = 0;
  auto next = sample.placeholders.begin();
  for (const Token& token : tokens) {
    if (!text_reason_.empty()) return;
    const auto first = next;
    while (next != sample.placeholders.end() && next->at < token.end) ++next;
    if (first == next) {
      if (token.kind != TokenKind::kComment) before.push_back(token);
      continue;
    }
    const bool is_value = token.kind == TokenKind::kNumber && token.end - token.begin == 1;
    if (bound != Bound::kEverywhere || !is_value) text_reason_ = WhyNotBound(token.kind);
    if (text_reason_.empty()) text_reason_ = WhyTyped(text, before, before.size());
    if (!text_reason_.empty()) return;
    before.push_back(token);
    query_.append(text, done, token.begin - done);
    done = token.end;
    parameters_.push_back(is_value ? Parameter{{"", true, *first}}
                                   : ValueOf(text, token, first, next));
    // A parameter must not run into a word beside it: LIKE'%s'AND.
    if (!query_.empty() && IsNameByte(query_.back())) query_.push_back(' ');
    query_.append("$").append(std::to_string(parameters_.size()));
    if (done < text.size() && IsNameByte(text[done])) query_.push_back(' ');
  }
  if (parameters_.size() > kMaxParameters) {
    text_reason_ = "it has more parameters than a statement may have";
  }
  query_.append(text, done);
}

// The literal's value, with the placeholders [next, end) in it.
BindPlan::Parameter BindPlan::ValueOf(std::string_view text, const Token& literal,
                                      PlaceholderIterator next, PlaceholderIterator end) {
  Parameter parameter(1);
  for (const Token& segment : LiteralSegments(text, literal)) {
    for (std::size_t i = segment.begin; i < segment.end; ++i) {
      if (next != end && next->at == i) {
        parameter.back().has_field = true;
        parameter.back().placeholder = *next++;
        parameter.emplace_back();
        continue;
      }
      parameter.back().text.push_back(text[i]);
      if (text[i] == '\'') ++i;  // doubled
    }
  }
  return parameter;
}

void BindPlan::AppendParameter(std::size_t index, const KeyParts& key, std::string* out) const {
  for (const Part& part : parameters_[index]) {
    out->append(part.text);
    if (part.has_field) out->append(part.placeholder.In(key));
  }
}

}  // namespace proxymux::pgsql
