#include "proxy/survey/query_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "pgsql/sql/sample_query.h"
#include "pgsql/sql/sql_lexer.h"

namespace proxymux::proxy {
namespace {

using pgsql::Token;
using pgsql::TokenKind;
using Tokens = std::span<const Token>;

constexpr std::size_t kDeepest = 200;  // plans within plans

std::string Quoted(const std::string& name) {
  const bool plain =
      !name.empty() && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (plain) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string Text(const nlohmann::json& node, const char* name) {
  const auto at = node.find(name);
  return at != node.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The condition of a join; `above` when it is none.
std::string JoinCondition(const nlohmann::json& node, const std::string& above) {
  for (const char* name : {"Hash Cond", "Merge Cond", "Join Filter"}) {
    if (std::string condition = Text(node, name); !condition.empty()) return condition;
  }
  return above;
}

// `above`: the condition of the nearest join.
void Collect(const nlohmann::json& node, const std::string& above, std::size_t depth,
             std::vector<SequentialScan>* scans) {
  if (!node.is_object() || depth > kDeepest) return;
  if (Text(node, "Node Type") == "Seq Scan") {
    const std::string filter = Text(node, "Filter");
    scans->push_back({Text(node, "Schema"), Text(node, "Relation Name"),
                      Quoted(Text(node, "Alias")), filter.empty() ? above : filter});
  }
  const auto plans = node.find("Plans");
  if (plans == node.end() || !plans->is_array()) return;
  const std::string condition = JoinCondition(node, above);
  for (const nlohmann::json& plan : *plans) Collect(plan, condition, depth + 1, scans);
}

// What stands on one side of the operator at `at`, within the parentheses around it.
Tokens LeftOf(std::string_view text, Tokens all, std::size_t at) {
  std::size_t level = 0;
  std::size_t begin = at;
  for (; begin > 0; --begin) {
    if (pgsql::IsSymbol(text, all[begin - 1], ")")) ++level;
    if (pgsql::IsSymbol(text, all[begin - 1], "(") && level-- == 0) break;
  }
  return all.subspan(begin, at - begin);
}
Tokens RightOf(std::string_view text, Tokens all, std::size_t at) {
  std::size_t level = 0;
  std::size_t end = at + 1;
  for (; end < all.size(); ++end) {
    if (pgsql::IsSymbol(text, all[end], "(")) ++level;
    if (pgsql::IsSymbol(text, all[end], ")") && level-- == 0) break;
  }
  return all.subspan(at + 1, end - at - 1);
}

// Made of what stands for the key, and of no column.
bool IsKey(std::string_view text, Tokens side) {
  const auto is_column = [&](const Token& token) { return pgsql::IsSymbol(text, token, "."); };
  return std::ranges::none_of(side, is_column) &&
         std::ranges::any_of(side, [&](const Token& token) {
           const bool is_value =
               token.kind == TokenKind::kLiteral || token.kind == TokenKind::kNumber;
           return token.kind == TokenKind::kParameter ||
                  (is_value &&
                   token.In(text).find(pgsql::SampleQuery::kValue) != std::string_view::npos);
         });
}

// Without the table's name; nothing when it names none of the table's columns.
std::optional<std::string> Column(std::string_view text, Tokens side, std::string_view alias) {
  std::string column;
  bool named = false;
  for (std::size_t i = 0; i < side.size(); ++i) {
    if (i + 2 < side.size() && side[i].In(text) == alias &&
        pgsql::IsSymbol(text, side[i + 1], ".")) {
      named = true;
      ++i;
      continue;
    }
    const bool joined = i == 0 || side[i].begin == side[i - 1].end || column.empty();
    if (!joined) column += ' ';
    column += side[i].In(text);
  }
  if (!named) return std::nullopt;
  return column;
}

// "(address)::text" is served by an index on the column itself.
std::string WithoutCast(const std::string& column) {
  constexpr std::string_view kCast = ")::text";
  if (!column.starts_with('(') || !column.ends_with(kCast)) return column;
  const std::string inner = column.substr(1, column.size() - 1 - kCast.size());
  return inner.find_first_of("() ") == std::string::npos ? inner : column;
}

}  // namespace

std::string SequentialScan::Relation() const {
  return schema.empty() ? Quoted(name) : Quoted(schema) + "." + Quoted(name);
}

std::vector<SequentialScan> SequentialScans(std::string_view json) {
  std::vector<SequentialScan> scans;
  const auto document = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_array() || document.empty() || !document[0].is_object()) return scans;
  const auto plan = document[0].find("Plan");
  if (plan != document[0].end()) Collect(*plan, "", 0, &scans);
  return scans;
}

std::string IndexedBy(const SequentialScan& scan) {
  const std::string_view text = scan.condition;
  const std::vector<Token> tokens = pgsql::LexSql(text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!pgsql::IsSymbol(text, tokens[i], "=")) continue;
    const Tokens left = LeftOf(text, tokens, i);
    const Tokens right = RightOf(text, tokens, i);
    const bool key_right = IsKey(text, right);
    if (!key_right && !IsKey(text, left)) continue;
    const Tokens side = key_right ? left : right;
    if (const auto column = Column(text, side, scan.alias)) return WithoutCast(*column);
  }
  return {};
}

}  // namespace proxymux::proxy
