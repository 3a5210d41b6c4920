// A query with parameters in the place of its literals, where that cannot change what it means.
#include "pgsql/sql/bind_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/pgsql/sql/compiled_query.h"

namespace proxymux::pgsql {
namespace {

bool StaysText(std::string_view query) {
  return !Compiled(query).bind(Bound::kInQuotes).possible();
}

TEST(QueryTemplateBind, EachLiteralBecomesAParameterOfItsOwn) {
  EXPECT_EQ(Bind("SELECT goto FROM alias WHERE address='%s' OR address = '@%d' OR address='%s'",
                 "u@d.org"),
            "SELECT goto FROM alias WHERE address=$1 OR address = $2 OR address=$3"
            " | u@d.org | @d.org | u@d.org");
}

TEST(QueryTemplateBind, TheWholeExpandedLiteralIsBound) {
  EXPECT_EQ(Bind("SELECT '%u@%d'::citext, '%%%1%%'", "o'n\\eil@d.org"),
            "SELECT $1::citext, $2 | o'n\\eil@d.org | %org%");
}

TEST(QueryTemplateBind, DoubledQuotesAreUndoneInTheValue) {
  EXPECT_EQ(Bind("SELECT 'it''s %s'''", "k"), "SELECT $1 | it's k'");
}

TEST(QueryTemplateBind, LiteralsWithoutAPlaceholderStay) {
  EXPECT_EQ(Bind("SELECT 'it''s', 5 %% 2, '100%%' WHERE x LIKE '%%%s'", "k"),
            "SELECT 'it''s', 5 % 2, '100%' WHERE x LIKE $1 | %k");
  EXPECT_EQ(Bind("SELECT 1", "k"), "SELECT 1");
}

TEST(QueryTemplateBind, AContinuedLiteralIsOneParameter) {
  EXPECT_EQ(Bind("SELECT 'a%s' -- it's\n 'b%d''' AS x", "u@d"), "SELECT $1 AS x | au@dbd'");
}

TEST(QueryTemplateBind, QuotesElsewhereDoNotConfuse) {
  EXPECT_EQ(Bind("SELECT \"it's\", E'\\'', $$'$$ /* don't */ FROM t WHERE a='%s' -- isn't", "k"),
            "SELECT \"it's\", E'\\'', $$'$$ /* don't */ FROM t WHERE a=$1 -- isn't | k");
}

TEST(QueryTemplateBind, AParameterDoesNotRunIntoItsNeighbours) {
  EXPECT_EQ(Bind("SELECT x LIKE'%s'AND 1", "k"), "SELECT x LIKE $1 AND 1 | k");
  for (const std::string alias : {"Zone", "_x", "\x80x"}) {
    EXPECT_EQ(Bind("SELECT '%s'" + alias, "k"), "SELECT $1 " + alias + " | k");
  }
  for (const std::string digit : {"0", "9"}) {  // not the parameter $10
    EXPECT_EQ(Bind("SELECT '%s'" + digit, "k"), "SELECT $1 " + digit + " | k");
  }
}

TEST(QueryTemplateBind, ATrailingSemicolonIsOneStatement) {
  EXPECT_EQ(Bind("SELECT '%s'; -- done", "k"), "SELECT $1; -- done | k");
}

TEST(QueryTemplateBind, BehindTheseWordsALiteralHasNoType) {
  for (const char* query :
       {"SELECT 1 WHERE a BETWEEN '%s' AND '%s'",
        "SELECT CASE '%s' WHEN '%s' THEN '%s' ELSE '%s' END", "SELECT a ilike '%s' or not '%s'",
        "SELECT substring(x from '%s' for '%s')", "SELECT trim(both '%s' from x)",
        "SELECT 1 WHERE a IN ('%s','%d')", "SELECT a FROM t LIMIT '%s' OFFSET '%s'",
        "SELECT now() AT TIME ZONE '%s'", "SELECT f('%s', y => '%s')", "SELECT a[ '%s' ]",
        "SELECT a SIMILAR TO '%s'", "SELECT a IS DISTINCT FROM '%s'", "SELECT a ->> '%s'",
        "SELECT x || '%s' /* c */ || '%s'", "SELECT = /* c */ '%s'", "SELECT DISTINCT '%s'"})
    EXPECT_FALSE(StaysText(query))
        << query << ": " << Compiled(query).bind(Bound::kInQuotes).text_reason();
}

TEST(QueryTemplateBind, TypedLiteralsStayText) {
  for (const char* query :
       {"SELECT text '%s'", "SELECT interval '%s' day", "SELECT date /* c */ '%s'",
        "SELECT timestamp with time zone '%s'", "SELECT timestamp(3) '%s'",
        "SELECT double precision '%s'", "SELECT \"Type\" '%s'", "SELECT s.t '%s'",
        "SELECT s.select '%s'", "SELECT varchar(5) '%s'", "SELECT x AS '%s'",
        "SELECT x FROM t ORDER BY '%s'", "SELECT x FROM t ORDER BY ('%s')",
        "SELECT x FROM t ORDER BY lower(x), '%s'", "SELECT x FROM t GROUP BY x, (('%s'))",
        "SELECT x LIKE 'a' ESCAPE '%s'"})
    EXPECT_TRUE(StaysText(query)) << query;
}

TEST(QueryTemplateBind, OtherQuotingStaysText) {
  for (const char* query :
       {"SELECT E'%s'", "SELECT U&'%s'", "SELECT B'%s'", "SELECT N'%s'", "SELECT $t$%s$t$",
        "SELECT \"%s\"", "SELECT 1 -- %s", "SELECT 1 /* '%s' */", "SELECT %s", "SELECT '%s', %u",
        "SELECT E'a'\n'%s'"})
    EXPECT_TRUE(StaysText(query)) << query;
}

TEST(QueryTemplateBind, WhatIsNoSingleStatementStaysText) {
  EXPECT_EQ(Bind("SELECT 1; SELECT '%s'", "k"), "text: it holds several statements");
  EXPECT_EQ(Bind("-- SELECT '%s'", "k"), "text: it holds no statement");
  EXPECT_EQ(Bind("SELECT '%s", "k"), "text: a quote or comment is not closed");
  EXPECT_EQ(Bind("SELECT '%s' /* ", "k"), "text: a quote or comment is not closed");
}

TEST(QueryTemplateBind, AParameterOfItsOwnStaysText) {
  EXPECT_EQ(Bind("SELECT $2, '%s'", "k"), "text: it has a parameter of its own, $2");
  EXPECT_FALSE(StaysText("SELECT '$1 %s', \"$1\" /* $1 */"));
}

TEST(QueryTemplateBind, EverywhereMeansOutsideOfQuotesToo) {
  const auto bind = [](std::string_view query, std::string_view key) {
    return Bind(query, key, Bound::kEverywhere);
  };
  EXPECT_EQ(bind("SELECT v FROM t WHERE id = %s", "x@y"), "SELECT v FROM t WHERE id = $1 | x@y");
  EXPECT_EQ(bind("SELECT %u+7 WHERE a IN('%s',%d)AND b=%1 LIMIT %s", "1@2.3"),
            "SELECT $1+7 WHERE a IN($2,$3)AND b=$4 LIMIT $5 | 1 | 1@2.3 | 2.3 | 3 | 1@2.3");
  EXPECT_EQ(bind("SELECT 5 %% %s", "2"), "SELECT 5 % $1 | 2");
  for (const char* query : {"SELECT t%s", "SELECT %u%d", "SELECT 1%s", "SELECT %s.5"})
    EXPECT_EQ(bind(query, "1@1"), "text: a placeholder stands outside of quotes") << query;
  EXPECT_EQ(bind("SELECT x ORDER BY 1, %s", "1"),
            "text: a literal is an element of ORDER BY, GROUP BY or DISTINCT ON");
  EXPECT_EQ(bind("SELECT %s, /* %s */ 1", "1"), "text: a placeholder stands in a comment");
}

}  // namespace
}  // namespace proxymux::pgsql
