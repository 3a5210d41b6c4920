#include "pgsql/sql/statement_class.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace proxymux::pgsql {
namespace {

// Words that cannot be the name of a function when they stand bare and unqualified: reserved words,
// and those that the grammar keeps for constructs of its own. Sorted.
constexpr std::array<std::string_view, 70> kNeverCalled = {
    "all",      "analyse", "analyze",    "and",       "any",        "array",      "as",
    "asc",      "between", "both",       "case",      "cast",       "check",      "coalesce",
    "collate",  "column",  "constraint", "create",    "default",    "deferrable", "desc",
    "distinct", "do",      "else",       "end",       "except",     "exists",     "fetch",
    "for",      "foreign", "from",       "grant",     "greatest",   "group",      "grouping",
    "having",   "in",      "initially",  "intersect", "into",       "lateral",    "leading",
    "least",    "limit",   "not",        "nullif",    "offset",     "on",         "only",
    "or",       "order",   "placing",    "primary",   "references", "returning",  "row",
    "select",   "setof",   "some",       "symmetric", "table",      "then",       "to",
    "trailing", "union",   "unique",     "using",     "values",     "when",       "where",
};
static_assert(std::is_sorted(kNeverCalled.begin(), kNeverCalled.end()));

std::vector<Token> WithoutComments(const std::vector<Token>& tokens) {
  std::vector<Token> kept;
  std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(kept),
               [](const Token& token) { return token.kind != TokenKind::kComment; });
  return kept;
}

// The name of an identifier token as the catalogue has it, but for its length; `known` turns false
// when the text does not tell.
std::string NameOf(std::string_view text, const Token& token, bool* known) {
  const std::string_view word = token.In(text);
  if (token.kind == TokenKind::kIdentifier) {
    // Servers with single-byte encodings also fold letters outside of ASCII, by their locale.
    for (const char c : word) *known = *known && static_cast<unsigned char>(c) < 0x80;
    return LowerAscii(word);
  }
  if (token.kind == TokenKind::kUnicodeIdentifier) *known = false;
  std::string name;
  const std::size_t begin = word.find('"') + 1;
  const std::size_t end = token.unterminated ? word.size() : word.size() - 1;
  for (std::size_t i = begin; i < end; ++i) {
    name.push_back(word[i]);
    if (word[i] == '"') ++i;
  }
  return name;
}

bool IsName(const Token& token) {
  return token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kQuotedIdentifier ||
         token.kind == TokenKind::kUnicodeIdentifier;
}

class StatementReader {
 public:
  StatementReader(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  bool Word(std::size_t at, std::string_view word) const {
    return at < tokens_.size() && IsWord(text_, tokens_[at], word);
  }
  bool Symbol(std::size_t at, std::string_view symbol) const {
    return at < tokens_.size() && IsSymbol(text_, tokens_[at], symbol);
  }
  bool AnyWord(std::size_t at, std::initializer_list<std::string_view> words) const {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return Word(at, word); });
  }

  // Whether tokens [begin, end), one statement, read only.
  bool IsPlainRead(std::size_t begin, std::size_t end) const {
    std::size_t first = begin;
    while (first < end && Symbol(first, "(")) ++first;
    if (first == end || !AnyWord(first, {"select", "values", "table", "with"})) return false;
    bool has_with = false;
    for (std::size_t i = first; i < end; ++i) has_with = has_with || Word(i, "with");
    for (std::size_t i = first; i < end; ++i) {
      if (tokens_[i].unterminated) return false;
      if (i > first && Symbol(i - 1, ".")) continue;  // a column of that name
      if (Word(i, "into")) return false;
      if (Word(i, "for") && AnyWord(i + 1, {"update", "share", "no", "key"})) return false;
      if (has_with && AnyWord(i, {"insert", "update", "delete", "merge"})) return false;
    }
    return true;
  }

  // Whether tokens [begin, end), one statement, may change the session: anything but queries and
  // changes of rows does, and so does SELECT INTO, which makes a table.
  bool ChangesSession(std::size_t begin, std::size_t end) const {
    std::size_t first = begin;
    while (first < end && Symbol(first, "(")) ++first;
    if (first == end) return false;
    if (!AnyWord(first,
                 {"select", "values", "table", "with", "insert", "update", "delete", "merge"})) {
      return true;
    }
    if (!Word(first, "select")) return false;
    for (std::size_t i = first + 1; i < end; ++i) {
      if (Word(i, "into") && !Symbol(i - 1, ".")) return true;
    }
    return false;
  }

  void CollectNames(StatementClass* result, bool* known) const {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!IsName(tokens_[i])) continue;
      result->names.push_back(NameOf(text_, tokens_[i], known));
      const bool qualified = i > 0 && Symbol(i - 1, ".");
      if (Symbol(i + 1, "(")) {
        const bool bare = tokens_[i].kind == TokenKind::kIdentifier && !qualified;
        if (bare && std::binary_search(kNeverCalled.begin(), kNeverCalled.end(),
                                       std::string_view(LowerAscii(tokens_[i].In(text_)))))
          continue;
        result->called_names.push_back(NameOf(text_, tokens_[i], known));
      } else if (qualified) {
        result->attribute_names.push_back(NameOf(text_, tokens_[i], known));
      }
    }
    for (std::vector<std::string>* names :
         {&result->called_names, &result->attribute_names, &result->names}) {
      std::sort(names->begin(), names->end());
      names->erase(std::unique(names->begin(), names->end()), names->end());
    }
  }

 private:
  const std::string_view text_;
  const std::vector<Token> tokens_;
};

// Calls visit(begin, end) for each statement that is not empty.
template <typename Visitor>
void ForEachStatement(std::string_view text, const std::vector<Token>& tokens, Visitor visit) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= tokens.size(); ++i) {
    if (i < tokens.size() && !IsSymbol(text, tokens[i], ";")) continue;
    if (i > begin) visit(begin, i);
    begin = i + 1;
  }
}

}  // namespace

std::size_t CountStatements(std::string_view text, const std::vector<Token>& tokens) {
  std::size_t count = 0;
  ForEachStatement(text, WithoutComments(tokens), [&](std::size_t, std::size_t) { ++count; });
  return count;
}

StatementClass ClassifyStatement(std::string_view text, const std::vector<Token>& tokens,
                                 bool open_placeholders) {
  StatementClass result;
  const std::vector<Token> kept = WithoutComments(tokens);
  const StatementReader reader(text, kept);
  bool all_read = true;
  ForEachStatement(text, kept, [&](std::size_t begin, std::size_t end) {
    ++result.statements;
    all_read = all_read && reader.IsPlainRead(begin, end);
    result.changes_session = result.changes_session || reader.ChangesSession(begin, end);
  });
  result.plain_read = all_read && result.statements > 0;
  bool known = true;
  reader.CollectNames(&result, &known);
  for (const std::string& name : result.called_names) {
    result.changes_session = result.changes_session || name == "set_config" ||
                             name == "pg_advisory_lock" || name == "pg_advisory_lock_shared" ||
                             name == "pg_try_advisory_lock" ||
                             name == "pg_try_advisory_lock_shared";
  }
  result.may_write = !result.plain_read || open_placeholders || !known;
  return result;
}

}  // namespace proxymux::pgsql
