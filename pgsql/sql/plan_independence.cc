#include "pgsql/sql/plan_independence.h"

#include <algorithm>
#include <iterator>

#include "pgsql/sql/plan_words.h"

namespace proxymux::pgsql {
namespace {

bool IsLiteral(TokenKind kind) {
  switch (kind) {
    case TokenKind::kLiteral:
    case TokenKind::kEscapeLiteral:
    case TokenKind::kBitLiteral:
    case TokenKind::kNationalLiteral:
    case TokenKind::kUnicodeLiteral:
    case TokenKind::kDollarLiteral:
      return true;
    case TokenKind::kIdentifier:
    case TokenKind::kQuotedIdentifier:
    case TokenKind::kUnicodeIdentifier:
    case TokenKind::kNumber:
    case TokenKind::kParameter:
    case TokenKind::kOperator:
    case TokenKind::kPunctuation:
    case TokenKind::kComment:
    case TokenKind::kOther:
      return false;
  }
  return false;
}

bool HasPlaceholder(std::string_view literal) {
  for (std::size_t i = 0; i + 1 < literal.size(); ++i) {
    if (literal[i] != '%') continue;
    if (literal[i + 1] != '%') return true;
    ++i;
  }
  return false;
}

class Inspector {
 public:
  Inspector(std::string_view text, const std::vector<Token>& tokens) : text_(text) {
    std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(tokens_),
                 [](const Token& token) { return token.kind != TokenKind::kComment; });
    words_.reserve(tokens_.size());
    for (const Token& token : tokens_) {
      words_.push_back(token.kind == TokenKind::kIdentifier ? LowerAscii(token.In(text_))
                                                            : std::string());
    }
  }

  bool OnlyKnownFunctions() const {
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      if (!Symbol(at + 1, "(")) continue;
      const TokenKind kind = tokens_[at].kind;
      if (kind == TokenKind::kQuotedIdentifier || kind == TokenKind::kUnicodeIdentifier) {
        return false;
      }
      if (kind != TokenKind::kIdentifier) continue;
      const std::string& word = words_[at];
      const bool qualified = at > 0 && Symbol(at - 1, ".");
      const bool known = StandsBeforeParenthesis(word) || IsTotalFunction(word) ||
                         IsTotalWithNumber(word) || IsTextType(word) || word == "cast";
      if (qualified || !known) return false;
    }
    return true;
  }

  std::string Inspect() const {
    // Without conditions and tables everything is evaluated once, whatever it is.
    const bool one_row = std::none_of(words_.begin(), words_.end(), [](const std::string& word) {
      return DecidesEvaluation(word);
    });
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      std::string why;
      switch (tokens_[at].kind) {
        case TokenKind::kIdentifier:
          why = InspectWord(at, one_row);
          break;
        case TokenKind::kQuotedIdentifier:
        case TokenKind::kUnicodeIdentifier:
          if (Symbol(at + 1, "(") && !one_row) why = MayRaise(at);
          break;
        case TokenKind::kOperator:
          if (!one_row) why = InspectOperator(at);
          break;
        case TokenKind::kPunctuation:
          if (Symbol(at, "(") && (Word(at + 1, "select") || Word(at + 1, "with")) &&
              !GivesRows(at)) {
            why = "it has a scalar sub-select";
          }
          break;
        case TokenKind::kLiteral:
        case TokenKind::kEscapeLiteral:
        case TokenKind::kBitLiteral:
        case TokenKind::kNationalLiteral:
        case TokenKind::kUnicodeLiteral:
        case TokenKind::kDollarLiteral:
        case TokenKind::kNumber:
          break;
        case TokenKind::kParameter:
        case TokenKind::kComment:
        case TokenKind::kOther:
          why = "it has " + std::string(tokens_[at].In(text_));
          break;
      }
      if (!why.empty()) return why;
    }
    return "";
  }

 private:
  bool Symbol(std::size_t at, std::string_view symbol) const {
    return at < tokens_.size() && IsSymbol(text_, tokens_[at], symbol);
  }
  bool Word(std::size_t at, std::string_view word) const {
    return at < tokens_.size() && words_[at] == word;
  }
  bool Kind(std::size_t at, TokenKind kind) const {
    return at < tokens_.size() && tokens_[at].kind == kind;
  }
  std::string Shown(std::size_t at) const { return std::string(tokens_[at].In(text_)); }
  std::string MayRaise(std::size_t at) const {
    return Shown(at) + "() may raise an error, or depend on the order of rows";
  }

  std::string InspectWord(std::size_t at, bool one_row) const {
    const std::string& word = words_[at];
    if (at > 0 && Symbol(at - 1, ".")) {
      return Symbol(at + 1, "(") && !one_row ? MayRaise(at) : "";
    }
    if (IsOpenWord(word)) return "it has " + Shown(at);
    if (word == "distinct" && Word(at + 1, "on")) return "it has DISTINCT ON";
    if (word == "array" && !Symbol(at + 1, "[")) return "it makes an array of rows";
    if (word == "like" || word == "ilike") {
      return one_row || IsFixedPattern(at + 1) ? ""
                                               : Shown(at) + " may raise an error for a pattern";
    }
    if (!Symbol(at + 1, "(") || StandsBeforeParenthesis(word)) return "";
    if (at > 0 && Symbol(at - 1, "::")) return "";  // varchar(8), looked at with its operator
    if (word == "cast") return one_row ? "" : InspectCast(at);
    if (one_row || IsTotalFunction(word)) {
      return "";
    }
    if (IsTotalWithNumber(word) && EndsInNumber(at + 1)) return "";
    if (at > 1 && IsTextType(word) && Word(at - 1, "as")) return "";  // CAST(x AS char(4))
    return MayRaise(at);
  }

  std::string InspectOperator(std::size_t at) const {
    if (Symbol(at, "*")) {
      // All columns, not a product.
      const bool star = at == 0 || Symbol(at - 1, ".") || Symbol(at - 1, "(") ||
                        Symbol(at - 1, ",") || Word(at - 1, "select") || Word(at - 1, "all") ||
                        Word(at - 1, "distinct");
      return star ? "" : "operator * may raise an error";
    }
    const std::string_view op = tokens_[at].In(text_);
    if (!IsTotalOperator(op)) {
      return "operator " + std::string(op) + " may raise an error";
    }
    if (op != "::") return "";
    return IsTotalCast(at + 1, at > 0 && IsLiteral(tokens_[at - 1].kind))
               ? ""
               : "a cast may raise an error";
  }

  bool IsTotalCast(std::size_t type, bool of_literal) const {
    if (!Kind(type, TokenKind::kIdentifier) || Symbol(type + 1, ".")) return false;
    if (IsTextType(words_[type])) return true;
    return of_literal && IsLiteralType(words_[type]);
  }

  // CAST(literal AS type), or of anything to text.
  std::string InspectCast(std::size_t at) const {
    std::size_t level = 0;
    for (std::size_t i = at + 1; i < tokens_.size(); ++i) {
      if (Symbol(i, "(")) ++level;
      if (Symbol(i, ")") && --level == 0) break;
      if (level == 1 && Word(i, "as")) {
        const bool of_literal = i == at + 3 && IsLiteral(tokens_[at + 2].kind);
        return IsTotalCast(i + 1, of_literal) ? "" : "a cast may raise an error";
      }
    }
    return "a cast may raise an error";
  }

  // A pattern without a placeholder that does not end in a backslash.
  bool IsFixedPattern(std::size_t at) const {
    if (!Kind(at, TokenKind::kLiteral) || Kind(at + 1, TokenKind::kOperator)) return false;
    const std::string_view literal = tokens_[at].In(text_);
    return !HasPlaceholder(literal) && literal.find('\\') == std::string_view::npos;
  }

  // "( ..., NUMBER )" with an integer above 0, `at` being the parenthesis.
  bool EndsInNumber(std::size_t at) const {
    std::size_t level = 0;
    for (std::size_t i = at; i < tokens_.size(); ++i) {
      if (Symbol(i, "(")) ++level;
      if (!Symbol(i, ")") || --level > 0) continue;
      if (i < 2 || !Symbol(i - 2, ",") || !Kind(i - 1, TokenKind::kNumber)) return false;
      const std::string_view number = tokens_[i - 1].In(text_);
      return number.find_first_not_of("0123456789") == std::string_view::npos &&
             number.find_first_not_of('0') != std::string_view::npos && number.size() < 9;
    }
    return false;
  }

  // Whether the select behind the parenthesis gives rows to what stands before it, and is not an
  // expression, which raises an error for a second row.
  bool GivesRows(std::size_t at) const {
    while (at > 0 && Symbol(at - 1, "(")) --at;
    if (at == 0) return true;
    for (const std::string_view word : {"in", "exists", "any", "some", "all", "from", "join",
                                        "union", "intersect", "except", "as", "materialized"}) {
      if (Word(at - 1, word)) return true;
    }
    return false;
  }

  const std::string_view text_;
  std::vector<Token> tokens_;
  std::vector<std::string> words_;  // of bare words, in lower case; else empty
};

}  // namespace

std::string WhyPlanMatters(std::string_view query, const std::vector<Token>& tokens,
                           const StatementClass& statement) {
  if (!statement.plain_read) return "it may write";
  return Inspector(query, tokens).Inspect();
}

bool OnlyKnownFunctions(std::string_view query, const std::vector<Token>& tokens) {
  return Inspector(query, tokens).OnlyKnownFunctions();
}

}  // namespace proxymux::pgsql
