#include "tests/bench/compare_arguments.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace proxymux::bench {
namespace {

using Words = std::vector<std::string>;

TEST(CompareArguments, AllPartsWithoutAWord) {
  const CompareArguments arguments = ReadCompareArguments({});
  EXPECT_EQ(arguments.parts, PartNames());
  EXPECT_EQ(arguments.rounds, 3);
  EXPECT_FALSE(arguments.arrival);
}

TEST(CompareArguments, WordsSayMoreThanQuick) {
  const CompareArguments arguments = ReadCompareArguments({"--rounds", "2", "--quick"});
  EXPECT_TRUE(arguments.quick);
  EXPECT_EQ(arguments.rounds, 2);
  EXPECT_EQ(arguments.keys, 100000);
}

TEST(CompareArguments, PartsSeriesAndRows) {
  EXPECT_EQ(ReadCompareArguments({"--parts", "main,rows"}).parts, (Words{"main", "rows"}));
  EXPECT_EQ(ReadCompareArguments({"--series", "tables"}).parts, Words{"tables"});
  const CompareArguments rows = ReadCompareArguments({"--rows", "hot,fairness"});
  EXPECT_EQ(rows.parts, Words{"main"});
  EXPECT_EQ(rows.rows, (Words{"hot", "fairness"}));
}

TEST(CompareArguments, Arrival) {
  const auto paced = ReadCompareArguments({"--arrival", "200"}).arrival;
  ASSERT_TRUE(paced);
  EXPECT_EQ(paced->connect_rate, 200);
  EXPECT_FALSE(paced->served_before);
  const auto fast = ReadCompareArguments({"--arrival", "0,before"}).arrival;
  ASSERT_TRUE(fast);
  EXPECT_EQ(fast->connect_rate, 0);
  EXPECT_TRUE(fast->served_before);
}

TEST(CompareArguments, WrongWordsAreRefused) {
  for (const Words& words :
       {Words{"--frobnicate", "1"}, Words{"--rounds"}, Words{"--rounds", "0"},
        Words{"--seconds", "2x"}, Words{"--rows", "warm"}, Words{"--series", "main"},
        Words{"--arrival", "fast"}, Words{"--rows", "hot", "--docs", "docs"}}) {
    EXPECT_THROW(ReadCompareArguments(words), std::invalid_argument) << words[0];
  }
}

}  // namespace
}  // namespace proxymux::bench
