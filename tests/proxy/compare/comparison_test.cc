// What is said of two answers.
#include "proxy/compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxymux::proxy {
namespace {

using Kind = KeyAnswer::Kind;
using testing::HasSubstr;

TEST(Comparison, AnswersAreCounted) {
  ComparedTable table;
  table.name = "pgsql:/a.cf";
  table.Add("a", {Kind::kFound, "x"}, {Kind::kFound, "x"});
  table.Add("b", {Kind::kNotFound, ""}, {Kind::kNotFound, ""});
  table.Add("c", {Kind::kError, "fatal: one"}, {Kind::kError, "no answer: another"});
  table.Add("d", {Kind::kFound, "x"}, {Kind::kFound, "y"});
  table.Add("e", {Kind::kNotFound, ""}, {Kind::kFound, "z"});
  table.Add("f", {Kind::kNotFound, ""}, {Kind::kError, "no answer: w"});
  table.Add("g", {Kind::kNotAsked, ""}, {Kind::kFound, "x"});
  table.stock = {std::chrono::milliseconds(60), 6};
  EXPECT_EQ(table.keys(), 7U);
  EXPECT_EQ(
      table.Text(),
      "pgsql:/a.cf: 7 keys: 1 found by both, 1 by neither, 3 differences, 1 errors of both, 1 "
      "not asked after too many errors; a key takes stock 10.00 ms, proxymux an unknown time\n"
      "  key \"d\": stock: \"x\"; proxymux: \"y\"\n"
      "  key \"e\": stock: not found; proxymux: \"z\"\n"
      "  key \"f\": stock: not found; proxymux: error: no answer: w\n"
      "  key \"c\": both: error: no answer: another\n");
}

TEST(Comparison, WhatIsTheSame) {
  const KeyAnswer x{Kind::kFound, "x"}, y{Kind::kFound, "y"}, none{Kind::kNotFound, ""},
      bad{Kind::kError, "a"}, worse{Kind::kError, "b"}, not_asked{Kind::kNotAsked, ""};
  EXPECT_TRUE(ComparedTable::IsSettled(x, x));
  EXPECT_TRUE(ComparedTable::IsSettled(none, none));
  EXPECT_TRUE(ComparedTable::IsSettled(bad, worse));
  EXPECT_TRUE(ComparedTable::IsSettled(x, not_asked));
  EXPECT_FALSE(ComparedTable::IsSettled(x, y));
  EXPECT_FALSE(ComparedTable::IsSettled(x, none));
  EXPECT_FALSE(ComparedTable::IsSettled(none, bad));
  ComparedTable table;
  table.Add("k", bad, worse);
  EXPECT_FALSE(table.IsSame()) << "there was no answer at all";
  table.Add("k", x, x);
  EXPECT_TRUE(table.IsSame());
  table.Add("k", x, not_asked);
  EXPECT_FALSE(table.IsSame());
}

TEST(Comparison, NothingIsNothing) {
  EXPECT_THAT(ComparedTable().Text(), HasSubstr("0 keys: 0 found by both"));
}

TEST(Comparison, OfErrorsThatBothHaveTheFirstAreShown) {
  ComparedTable table;
  for (int i = 0; i < 100; ++i) table.Add("k", {Kind::kError, "x"}, {Kind::kError, "x"});
  EXPECT_EQ(table.errors, 100U);
  EXPECT_EQ(table.shown_errors.size(), 5U);
  EXPECT_THAT(table.Text(), HasSubstr("\n  and 95 more errors of both\n"));
}

}  // namespace
}  // namespace proxymux::proxy
