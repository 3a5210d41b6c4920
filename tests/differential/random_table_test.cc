// The random tables of the differential suite: their queries are templates that compile, and many
// of them hold everything that the grammar is there for.
#include "tests/differential/random_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "pgsql/sql/query_template.h"
#include "tests/differential/random_literal.h"
#include "tests/differential/random_query.h"

namespace proxymux::differential {
namespace {

constexpr std::size_t kMany = 5000;

using pgsql::QueryTemplate;
using pgsql::TokenKind;
using pgsql::UnquotedValues;

QueryTemplate Compiled(const std::string& sql) {
  auto result = QueryTemplate::Compile(sql, UnquotedValues::kAny);
  if (auto* error = std::get_if<pgsql::TemplateError>(&result)) {
    ADD_FAILURE() << error->text << " at " << error->offset << " of " << sql;
    return std::get<QueryTemplate>(QueryTemplate::Compile("SELECT 1", UnquotedValues::kAny));
  }
  return std::move(std::get<QueryTemplate>(result));
}

TEST(RandomTable, IsTheSameForTheSameSeed) {
  RandomSource first(7), again(7), other(8);
  std::size_t different = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const DifferentialTable table = RandomTable(first, "r.cf");
    const DifferentialTable same = RandomTable(again, "r.cf");
    EXPECT_EQ(table.text, same.text);
    EXPECT_EQ(table.traits, same.traits);
    different += table.text != RandomTable(other, "r.cf").text;
  }
  EXPECT_EQ(different, 100u);
}

TEST(RandomTable, HasEverySettingNowAndThen) {
  RandomSource random(1);
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string text = RandomTable(random, "r.cf").text;
    for (const char* setting :
         {"\nquery", "\nresult_format", "\ndomain", "\nexpansion_limit", "\nselect_function",
          "\ntable", "\nselect_field", "\nwhere_field", "\nadditional_conditions", "\n#", "\r",
          "\nhosts", "\n  ", "\n\t"}) {
      seen[setting] += text.find(setting) != std::string::npos;
    }
  }
  for (const auto& [setting, count] : seen) EXPECT_GT(count, kMany / 100) << setting;
}

TEST(RandomQuery, IsATemplateThatCompiles) {
  RandomSource random(1);
  for (std::size_t i = 0; i < kMany; ++i) {
    const QueryText query = RandomQuery(random).Statement();
    EXPECT_EQ(query.sql.find('\n'), std::string::npos) << query.sql;
    EXPECT_EQ(Compiled(query.sql).source(), query.sql);
    EXPECT_LT(query.sql.size(), 10000u);
  }
}

TEST(RandomQuery, HasPlaceholdersInEveryKindOfQuoting) {
  RandomSource random(1);
  std::map<TokenKind, std::size_t> kinds;
  std::size_t bound = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    const QueryTemplate query = Compiled(RandomQuery(random).Statement().sql);
    bound += query.bind(pgsql::Bound::kInQuotes).possible();
    std::set<TokenKind> here;
    for (const pgsql::Token& token : query.tokens()) {
      for (const char* placeholder : {"%s", "%u", "%d"}) {
        if (token.In(query.source()).find(placeholder) != std::string_view::npos)
          here.insert(token.kind);
      }
    }
    for (const TokenKind kind : here) ++kinds[kind];
  }
  for (const TokenKind kind :
       {TokenKind::kLiteral, TokenKind::kEscapeLiteral, TokenKind::kNationalLiteral,
        TokenKind::kUnicodeLiteral, TokenKind::kDollarLiteral, TokenKind::kComment}) {
    EXPECT_GT(kinds[kind], kMany / 200) << static_cast<int>(kind);
  }
  // What parameters are for must not be the exception.
  EXPECT_GT(bound, kMany / 2);
}

TEST(RandomQuery, HasEveryShape) {
  RandomSource random(1);
  std::map<std::string, std::size_t> seen;
  std::size_t ordered = 0, planned = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    const QueryText query = RandomQuery(random).Statement();
    ordered += query.row_order_defined;
    planned += query.plan_may_choose;
    for (const char* word :
         {" JOIN ",     " UNION ",    " UNION ALL ", " INTERSECT ", " EXCEPT ",   "WITH q",
          " EXISTS ",   " LIMIT ",    " OFFSET ",    "DISTINCT",    " GROUP BY ", " HAVING ",
          " ORDER BY ", "string_agg", "count(",      "VALUES ",     "CASE ",      "::citext",
          "CAST(",      " LIKE ",     " ILIKE ",     " BETWEEN ",   " IN (",      "ANY(",
          " ~ ",        "alias_of(",  "aliases_of(", "unnest(",     " || ",       "NOT ",
          " OR "}) {
      seen[word] += query.sql.find(word) != std::string::npos;
    }
  }
  for (const auto& [word, count] : seen) EXPECT_GT(count, kMany / 1000) << word;
  EXPECT_GT(ordered, kMany / 5);
  EXPECT_GT(planned, kMany / 50);
  EXPECT_LT(planned, kMany / 3);
}

TEST(RandomLiteral, IsOneLiteralWithItsPlaceholders) {
  RandomSource random(1);
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string literal = RandomLiteral(random, "x%s'%u@%d");
    std::size_t literals = 0;
    for (const pgsql::Token& token : pgsql::LexSql(literal)) {
      EXPECT_FALSE(token.unterminated) << literal;
      literals += token.kind != TokenKind::kIdentifier;  // UESCAPE and what follows it
    }
    EXPECT_LE(literals, 2u) << literal;
    for (const char* placeholder : {"%s", "%u", "%d"})
      EXPECT_NE(literal.find(placeholder), std::string::npos) << literal;
  }
  EXPECT_EQ(PlainLiteral("it's %s"), "'it''s %s'");
}

}  // namespace
}  // namespace proxymux::differential
