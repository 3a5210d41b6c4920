#include "pgsql/table/usual_wait.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Record(UsualWait& wait, std::uint64_t count, Duration taken) {
  for (std::uint64_t i = 0; i < count; ++i) wait.Record(taken);
}

TEST(UsualWait, NothingIsUnusualBeforeAWholeWindowIsKnown) {
  UsualWait wait(5);
  Record(wait, UsualWait::kWindow - 1, milliseconds(2));
  EXPECT_FALSE(wait.LongerThanUsual(seconds(10)));
  wait.Record(milliseconds(2));
  EXPECT_TRUE(wait.LongerThanUsual(seconds(10)));
  EXPECT_FALSE(wait.LongerThanUsual(milliseconds(2)));
}

TEST(UsualWait, TheSlowestInAHundredIsUnusual) {
  UsualWait wait(5);
  Record(wait, UsualWait::kWindow / 100, milliseconds(100));
  Record(wait, UsualWait::kWindow - UsualWait::kWindow / 100, milliseconds(2));
  EXPECT_GE(wait.usual(), milliseconds(2));
  EXPECT_LT(wait.usual(), milliseconds(3));
  EXPECT_TRUE(wait.LongerThanUsual(milliseconds(3)));
}

TEST(UsualWait, OneMoreThanThatIsUsual) {
  UsualWait wait(5);
  Record(wait, UsualWait::kWindow / 100 + 1, milliseconds(100));
  Record(wait, UsualWait::kWindow - UsualWait::kWindow / 100 - 1, milliseconds(2));
  EXPECT_GE(wait.usual(), milliseconds(100));
}

TEST(UsualWait, TheLatestWindowCounts) {
  UsualWait wait(5);
  Record(wait, UsualWait::kWindow, milliseconds(100));
  EXPECT_FALSE(wait.LongerThanUsual(milliseconds(50)));
  Record(wait, UsualWait::kWindow - 1, milliseconds(2));
  EXPECT_FALSE(wait.LongerThanUsual(milliseconds(50)));
  wait.Record(milliseconds(2));
  EXPECT_TRUE(wait.LongerThanUsual(milliseconds(50)));
}

TEST(UsualWait, EachLookupPaysItsPercentage) {
  UsualWait wait(4);
  int spent = 0;
  for (int i = 0; i < 10000; ++i) {
    wait.Record(milliseconds(2));
    while (wait.MaySpend()) {
      wait.Spend();
      ++spent;
    }
  }
  EXPECT_GE(spent, 399);
  EXPECT_LE(spent, 400);
}

TEST(UsualWait, WhatIsSavedUpIsBounded) {
  UsualWait wait(50);
  EXPECT_FALSE(wait.MaySpend());
  Record(wait, 100000, milliseconds(2));
  int spent = 0;
  for (; wait.MaySpend(); ++spent) wait.Spend();
  EXPECT_EQ(spent, static_cast<int>(UsualWait::kMostTokens));
}

TEST(UsualWait, WithoutAPercentageNothingIsKept) {
  UsualWait wait;
  Record(wait, 10 * UsualWait::kWindow, milliseconds(2));
  EXPECT_FALSE(wait.LongerThanUsual(seconds(10)));
  EXPECT_FALSE(wait.MaySpend());
}

}  // namespace
}  // namespace proxymux::pgsql
