// The bind plan of a query template: which literals become parameters, and why a query must stay
// text.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "pgsql/query_template.h"
#include "pgsql/statement_class.h"

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

const char* WhyNotBound(PlaceholderContext context) {
  switch (context) {
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

}  // namespace

void QueryTemplate::PlanBind() {
  const std::string_view source = source_;
  const std::size_t statements = CountStatements(source, tokens_);
  if (statements != 1) {
    text_reason_ = statements == 0 ? "it holds no statement" : "it holds several statements";
    return;
  }
  for (const Token& token : tokens_) {
    if (token.unterminated) {
      text_reason_ = "a quote or comment is not closed";
      return;
    }
    if (token.kind == TokenKind::kParameter) {
      text_reason_ = "it has a parameter of its own, " + std::string(token.In(source));
      return;
    }
  }
  for (const Piece& piece : pieces_) {
    if (!piece.has_field || piece.context == PlaceholderContext::kLiteral) continue;
    text_reason_ = WhyNotBound(piece.context);
    return;
  }

  std::string query;
  std::vector<Pieces> parameters;
  // The template's text with %% undone; no placeholders in it.
  const auto append_plain = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      query.push_back(source[i]);
      if (source[i] == '%') ++i;
    }
  };
  std::vector<Token> before;  // without comments
  std::size_t done = 0;
  std::size_t next = 0;  // first piece whose placeholder is not yet passed
  for (const Token& token : tokens_) {
    if (token.kind == TokenKind::kComment) continue;
    const bool holds = token.kind == TokenKind::kLiteral && next < pieces_.size() &&
                       pieces_[next].has_field && pieces_[next].offset < token.end;
    if (holds) {
      text_reason_ = WhyTyped(source, before, before.size());
      if (!text_reason_.empty()) return;
      append_plain(done, token.begin);
      done = token.end;
      Pieces parameter(1);
      for (const Token& segment : LiteralSegments(source, token)) {
        for (std::size_t i = segment.begin; i < segment.end; ++i) {
          if (source[i] == '%' && source[i + 1] != '%') {
            Piece& piece = parameter.back();
            const Piece& placeholder = pieces_[next++];
            piece.has_field = true;
            piece.field = placeholder.field;
            piece.label = placeholder.label;
            piece.offset = placeholder.offset;
            parameter.emplace_back();
            ++i;
            continue;
          }
          parameter.back().text.push_back(source[i]);
          if (source[i] == '\'' || source[i] == '%') ++i;  // doubled
        }
      }
      parameters.push_back(std::move(parameter));
      // A parameter must not run into a word beside it: LIKE'%s'AND.
      if (!query.empty() && IsNameByte(query.back())) query.push_back(' ');
      query.append("$").append(std::to_string(parameters.size()));
      if (done < source.size() && IsNameByte(source[done])) query.push_back(' ');
    }
    before.push_back(token);
  }
  if (parameters.size() > kMaxParameters) {
    text_reason_ = "it has more parameters than a statement may have";
    return;
  }
  append_plain(done, source.size());
  bind_query_ = std::move(query);
  parameters_ = std::move(parameters);
}

}  // namespace proxymux::pgsql
