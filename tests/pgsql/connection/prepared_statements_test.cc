// What one connection remembers of the statements that it prepared.

#include "pgsql/connection/prepared_statements.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time kStart = Time() + seconds(1000);

void Add(PreparedStatements& statements, std::uint64_t id, Time now = kStart) {
  statements.Add(id, "s" + std::to_string(id), now);
}

TEST(PreparedStatements, KnowsWhatWasAdded) {
  PreparedStatements statements;
  EXPECT_FALSE(statements.Has(7, kStart));
  Add(statements, 7);
  EXPECT_TRUE(statements.Has(7, kStart));
  EXPECT_EQ(statements.NameOf(7), "s7");
}

TEST(PreparedStatements, WhatWasForgottenComesBackUnderAnotherName) {
  PreparedStatements statements;
  Add(statements, 7);
  Add(statements, 8);
  statements.Forget(7);
  EXPECT_FALSE(statements.Has(7, kStart));
  Add(statements, 7);
  EXPECT_EQ(statements.NameOf(7), "s7_1");
  EXPECT_EQ(statements.NameOf(8), "s8");  // not touched
  EXPECT_EQ(statements.TakeLeftOver(), std::nullopt);
}

TEST(PreparedStatements, IsUsedForASecondAndThenPreparedAnewAndDeallocated) {
  PreparedStatements statements;
  Add(statements, 7);
  Add(statements, 8, kStart + milliseconds(500));
  EXPECT_TRUE(statements.Has(7, kStart + milliseconds(999)));
  EXPECT_FALSE(statements.Has(7, kStart + seconds(1)));
  EXPECT_TRUE(statements.Has(8, kStart + seconds(1)));
  Add(statements, 7, kStart + seconds(1));
  EXPECT_EQ(statements.NameOf(7), "s7_1");
  EXPECT_TRUE(statements.Has(7, kStart + milliseconds(1999)));
  EXPECT_EQ(statements.TakeLeftOver(), "s7");
  EXPECT_EQ(statements.TakeLeftOver(), std::nullopt);
}

TEST(PreparedStatements, WhatIsNotUsedAnyMoreIsDeallocatedAsWell) {
  PreparedStatements statements;
  Add(statements, 7);
  Add(statements, 8);
  Add(statements, 9, kStart + seconds(5));
  EXPECT_FALSE(statements.Has(8, kStart + seconds(5)));
  EXPECT_TRUE(statements.TakeLeftOver().has_value());
  EXPECT_TRUE(statements.TakeLeftOver().has_value());
  EXPECT_FALSE(statements.TakeLeftOver().has_value());
}

TEST(PreparedStatements, AllAreRetiredAtOnce) {
  PreparedStatements statements;
  Add(statements, 7);
  statements.RetireAll();
  EXPECT_FALSE(statements.Has(7, kStart));
  EXPECT_EQ(statements.TakeLeftOver(), "s7");
  Add(statements, 7);
  EXPECT_EQ(statements.NameOf(7), "s7_1");
}

TEST(PreparedStatements, OneUnknownStatementMeansThatAllAreGone) {
  PreparedStatements statements;
  Add(statements, 7);
  Add(statements, 8);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart));
  EXPECT_FALSE(statements.Has(7, kStart));
  EXPECT_FALSE(statements.Has(8, kStart));
}

TEST(PreparedStatements, WhatWasOnItsWayThenTellsNothingNew) {
  PreparedStatements statements;
  Add(statements, 7);
  Add(statements, 8);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart + seconds(1)));
  Add(statements, 8);
  EXPECT_FALSE(statements.OnVanished(8, kStart, kStart + seconds(1)));
  EXPECT_TRUE(statements.Has(8, kStart));
  EXPECT_FALSE(statements.OnVanished(8, kStart + seconds(1), kStart + seconds(1)));
  EXPECT_TRUE(statements.Has(8, kStart));  // sent at that very moment
  EXPECT_TRUE(statements.OnVanished(8, kStart + milliseconds(1001), kStart + seconds(2)));
}

TEST(PreparedStatements, TwiceWithinAMinuteIsNoException) {
  PreparedStatements statements;
  Add(statements, 7);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart));
  Add(statements, 7);
  EXPECT_FALSE(statements.OnVanished(7, kStart + seconds(60), kStart + seconds(60)));
  Add(statements, 7);
  EXPECT_TRUE(statements.OnVanished(7, kStart + seconds(90), kStart + seconds(90)));
}

TEST(PreparedStatements, IsFullOnceTooManyAreThere) {
  PreparedStatements statements;
  for (std::size_t i = 0; i < PreparedStatements::kMost; ++i) {
    EXPECT_FALSE(statements.full());
    Add(statements, i);
  }
  EXPECT_TRUE(statements.full());
}

TEST(PreparedStatements, IsNotFullWhenTheOldOnesAreDeallocated) {
  PreparedStatements statements;
  for (std::size_t i = 0; i < 3 * PreparedStatements::kMost; ++i) {
    ASSERT_FALSE(statements.full());
    Add(statements, i % 3, kStart + i * seconds(1));
    while (statements.TakeLeftOver().has_value()) continue;
  }
}

}  // namespace
}  // namespace proxymux::pgsql
