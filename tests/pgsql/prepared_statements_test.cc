// What one connection remembers of the statements that it prepared.

#include "pgsql/prepared_statements.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

const Time kStart = Time() + seconds(1000);

std::string NameOf(const PreparedStatements& statements, std::uint64_t id) {
  std::string scratch;
  return statements.NameOf(id, "s" + std::to_string(id), &scratch);
}

TEST(PreparedStatements, KnowsWhatWasAdded) {
  PreparedStatements statements;
  EXPECT_FALSE(statements.Has(7));
  statements.Add(7);
  EXPECT_TRUE(statements.Has(7));
  EXPECT_EQ(NameOf(statements, 7), "s7");
}

TEST(PreparedStatements, WhatWasForgottenComesBackUnderAnotherName) {
  PreparedStatements statements;
  statements.Add(7);
  statements.Add(8);
  statements.Forget(7);
  EXPECT_FALSE(statements.Has(7));
  statements.Add(7);
  EXPECT_EQ(NameOf(statements, 7), "s7_1");
  EXPECT_EQ(NameOf(statements, 8), "s8");  // not touched
}

TEST(PreparedStatements, OneUnknownStatementMeansThatAllAreGone) {
  PreparedStatements statements;
  statements.Add(7);
  statements.Add(8);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart));
  EXPECT_FALSE(statements.Has(7));
  EXPECT_FALSE(statements.Has(8));
}

TEST(PreparedStatements, WhatWasOnItsWayThenTellsNothingNew) {
  PreparedStatements statements;
  statements.Add(7);
  statements.Add(8);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart + seconds(1)));
  statements.Add(8);
  EXPECT_FALSE(statements.OnVanished(8, kStart, kStart + seconds(1)));
  EXPECT_TRUE(statements.Has(8));
}

TEST(PreparedStatements, TwiceWithinAMinuteIsNoException) {
  PreparedStatements statements;
  statements.Add(7);
  EXPECT_FALSE(statements.OnVanished(7, kStart, kStart));
  statements.Add(7);
  EXPECT_FALSE(statements.OnVanished(7, kStart + seconds(60), kStart + seconds(60)));
  statements.Add(7);
  EXPECT_TRUE(statements.OnVanished(7, kStart + seconds(90), kStart + seconds(90)));
}

TEST(PreparedStatements, IsFullOnceAllEverPreparedAreTooMany) {
  PreparedStatements statements;
  for (std::size_t i = 0; i < PreparedStatements::kMost; ++i) {
    EXPECT_FALSE(statements.full());
    statements.Add(i % 3);
    statements.Forget(i % 3);
  }
  EXPECT_TRUE(statements.full());
}

}  // namespace
}  // namespace proxymux::pgsql
