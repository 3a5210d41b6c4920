// What is read from EXPLAIN's output, and the index that is advised.
#include "proxy/survey/query_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(QueryPlan, SequentialScansAreFoundAtAnyDepth) {
  EXPECT_THAT(SequentialScans(R"json([{"Plan": {"Node Type": "Limit", "Plans": [
                {"Node Type": "Append", "Plans": [
                  {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "alias",
                   "Alias": "a", "Filter": "((a.address)::text = $1)"},
                  {"Node Type": "Index Scan", "Relation Name": "other"},
                  {"Node Type": "Seq Scan", "Schema": "Mail", "Relation Name": "Old \"x\"",
                   "Alias": "b"}]}]}}])json"),
              ElementsAre(SequentialScan{"public", "alias", "a", "((a.address)::text = $1)"},
                          SequentialScan{"Mail", "Old \"x\"", "b", ""}));
}

TEST(QueryPlan, RelationsAreQuotedWhereTheyHaveToBe) {
  EXPECT_EQ((SequentialScan{"public", "alias", "a", ""}.Relation()), "public.alias");
  EXPECT_EQ((SequentialScan{"Mail", "Old \"x\"", "b", ""}.Relation()),
            "\"Mail\".\"Old \"\"x\"\"\"");
  EXPECT_EQ((SequentialScan{"", "7up", "b", ""}.Relation()), "\"7up\"");
}

// The rows of one side of a join are wanted for those of the other.
TEST(QueryPlan, AJoinIsTheConditionOfAScanWithoutOne) {
  EXPECT_THAT(
      SequentialScans(R"json([{"Plan": {"Node Type": "Hash Join", "Hash Cond": "(a.d = b.d)",
                "Plans": [{"Node Type": "Seq Scan", "Relation Name": "a", "Alias": "a"},
                          {"Node Type": "Hash", "Plans": [
                            {"Node Type": "Seq Scan", "Relation Name": "b", "Alias": "b",
                             "Filter": "(b.k = $1)"}]}]}}])json"),
      ElementsAre(SequentialScan{"", "a", "a", "(a.d = b.d)"},
                  SequentialScan{"", "b", "b", "(b.k = $1)"}));
}

TEST(QueryPlan, WhatIsNoPlanHasNone) {
  for (const char* text : {"", "{", "[]", "{}", "[1]", "[{}]", R"([{"Plan": 1}])",
                           R"([{"Plan": {"Plans": 3}}])", R"([{"Plan": {"Node Type": 7}}])"}) {
    EXPECT_THAT(SequentialScans(text), IsEmpty()) << text;
  }
  std::string deep = R"({"Node Type": "Seq Scan", "Relation Name": "t"})";
  for (int i = 0; i < 1000; ++i) deep = R"({"Node Type": "x", "Plans": [)" + deep + "]}";
  EXPECT_THAT(SequentialScans(R"([{"Plan": )" + deep + "}]"), IsEmpty());
}

std::string Index(const std::string& condition, const std::string& alias = "t") {
  return IndexedBy({"public", "t", alias, condition});
}

TEST(QueryPlan, TheIndexIsOnWhatIsComparedWithTheKey) {
  EXPECT_EQ(Index("(t.address = $1)"), "address");
  EXPECT_EQ(Index("((t.address)::text = $1)"), "address");
  EXPECT_EQ(Index("($1 = t.address)"), "address");
  EXPECT_EQ(Index("(t.active AND ((t.address)::text = ($1)::text))"), "address");
  EXPECT_EQ(Index("(lower((t.address)::text) = $1)"), "lower((address)::text)");
  EXPECT_EQ(Index("(lower((t.address)::text) = lower($1))"), "lower((address)::text)");
  EXPECT_EQ(Index("(t.address = '7'::text)"), "address");
  EXPECT_EQ(Index("(t.n = 7)"), "n");
  EXPECT_EQ(Index("((t.active = 1) AND (t.address = $1))"), "address");
  EXPECT_EQ(Index("((t.kind = 'x'::text) AND ($1 = t.address))"), "address");
  EXPECT_EQ(Index("((\"T\".\"Address\")::text = $1)", "\"T\""), "\"Address\"");
}

TEST(QueryPlan, NoIndexIsAdvisedWhereNothingIsComparedWithAValue) {
  EXPECT_EQ(Index(""), "");
  EXPECT_EQ(Index("(t.address ~~ $1)"), "");
  EXPECT_EQ(Index("(t.a = t.b)"), "");
  EXPECT_EQ(Index("(o.address = $1)"), "");
  EXPECT_EQ(Index("((('=' = "), "");
  EXPECT_EQ(Index(")))="), "");
}

}  // namespace
}  // namespace proxymux::proxy
