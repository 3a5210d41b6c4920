#include "pgsql/sql/trial_statement.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "pgsql/sql/sql_lexer.h"

namespace proxymux::pgsql {
namespace {

std::string Sample(std::string_view source) {
  std::string sample;
  for (std::size_t at = 0; at < source.size(); ++at) {
    const bool is_placeholder = source[at] == '%' && source[++at] != '%';
    sample += is_placeholder ? SampleQuery::kValue : source[at];
  }
  return sample;
}

// The end of "$1" and its like at `at`; `at` when there is none.
std::size_t ParameterEnd(std::string_view sql, std::size_t at) {
  if (at >= sql.size() || sql[at] != '$') return at;
  std::size_t end = at + 1;
  while (end < sql.size() && sql[end] >= '0' && sql[end] <= '9') ++end;
  return end > at + 1 ? end : at;
}

}  // namespace

TrialStatement::TrialStatement(const QueryTemplate& query)
    : query_(query), sql_(Sample(query.source())) {}

TrialStatement::TrialStatement(const QueryTemplate& query, Bound bound)
    : query_(query),
      sql_(query.bind(bound).query()),
      parameters_(query.bind(bound).parameter_count()) {}

// Both texts are walked side by side. They differ where the template has a placeholder or %%, and
// where a parameter stands for a literal.
std::size_t TrialStatement::InTemplate(std::size_t offset) const {
  const std::string_view source = query_.source();
  std::size_t there = 0;
  for (std::size_t at = 0; at < std::min(offset, sql_.size());) {
    const std::size_t parameter_end = ParameterEnd(sql_, at);
    const bool is_parameter =
        parameter_end > at && source.substr(there, parameter_end - at) !=
                                  std::string_view(sql_).substr(at, parameter_end - at);
    if (is_parameter) {
      if (offset < parameter_end) return there;
      at = parameter_end;
      if (source.substr(there).starts_with('%')) {
        there += 2;
        continue;
      }
      const auto literal = std::ranges::find_if(
          query_.tokens(), [&](const Token& token) { return token.end > there; });
      there = literal == query_.tokens().end() ? source.size() : literal->end;
      continue;
    }
    there += source.substr(there).starts_with('%') ? 2 : 1;
    ++at;
  }
  return std::min(there, source.size());
}

bool TrialStatement::DependsOnKey(std::size_t offset) const {
  const std::vector<Token> tokens = LexSql(sql_);
  const auto token =
      std::ranges::find_if(tokens, [&](const Token& each) { return each.end > offset; });
  if (token == tokens.end() || token->kind == TokenKind::kParameter) return false;
  return InTemplate(token->end) - InTemplate(token->begin) != token->end - token->begin;
}

}  // namespace proxymux::pgsql
