// What is said of queries whose lines were joined, and of quotes that are not closed.
#include "proxy/check/query_traps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/postfix/pgsql_table_parser.h"

namespace proxymux::proxy {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// `query` is what stands behind "query = " in the second line of a file.
std::string Said(const std::string& query) {
  const auto parsed = config::ParsePgsqlTable("dbname = mail\nquery = " + query + "\n", "t.cf",
                                              config::MailVersion{3, 12});
  EXPECT_TRUE(parsed.table.has_value()) << query;
  const auto compiled =
      pgsql::QueryTemplate::Compile(parsed.table->query, pgsql::UnquotedValues::kNumbers);
  Findings findings;
  CheckQuery(std::get<pgsql::QueryTemplate>(compiled), "t.cf", parsed.places.at("query"),
             &findings);
  return findings.Text();
}

TEST(QueryTraps, GoodQueriesAreNotTalkedAbout) {
  EXPECT_EQ(Said("SELECT v FROM t\n  WHERE k = '%s' /* the\n  key */"), "");
  EXPECT_EQ(Said("SELECT v FROM t WHERE k = '%s' -- the key"), "");
  EXPECT_EQ(Said("SELECT v FROM t\n  WHERE k = '%s' -- the key"), "");
  EXPECT_EQ(Said("SELECT '--' || v\n  FROM t WHERE k = '%s'"), "");
}

TEST(QueryTraps, ACommentThatSwallowsTheKeyIsAnError) {
  EXPECT_THAT(Said("SELECT v\n  FROM t -- all of them\n  WHERE k = '%s'"),
              AllOf(HasSubstr("t.cf:3: error: query: all behind this --"),
                    HasSubstr("every key has one answer"), HasSubstr("/* */")));
}

TEST(QueryTraps, ACommentThatSwallowsOtherLinesIsAWarning) {
  EXPECT_THAT(Said("SELECT v FROM t WHERE k = '%s' -- the key\n  AND active"),
              HasSubstr("t.cf:2: warning: query: all behind this --"));
  EXPECT_THAT(Said("SELECT v FROM t WHERE k = '%s' -- %s is the key\n  LIMIT 10%%2"),
              HasSubstr("t.cf:2: warning: "));
}

TEST(QueryTraps, AQuoteOrCommentThatDoesNotEndIsAnError) {
  EXPECT_THAT(Said("SELECT v FROM t\n  WHERE k = '%s"),
              HasSubstr("t.cf:3: error: query: a quote that begins here is not closed"));
  EXPECT_THAT(Said("SELECT v FROM \"t WHERE k = '%s'"), HasSubstr("t.cf:2: error: query: a quote"));
  EXPECT_THAT(Said("SELECT v FROM t WHERE k = '%s' /* the key"),
              HasSubstr("t.cf:2: error: query: a comment that begins here does not end"));
}

}  // namespace
}  // namespace proxymux::proxy
