// A lookup that is alone on its connection: it goes by the protocol that is better on its host.
#include <gtest/gtest.h>

#include <string>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/prepared_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class PoolAlone : public testing::Test {
 protected:
  // One lookup, alone, answered after the time that its protocol takes; how it was sent.
  std::string Look(const std::shared_ptr<TableBinding>& table) {
    const auto client = world.Look("k", table);
    world.Turn();
    auto& connection = *world.Busy();
    const bool by_script = connection.history().back() == 'X';
    world.loop.Advance(by_script ? simple : extended);
    connection.AnswerEverything("v");
    world.Turn();
    EXPECT_EQ(client->value, "v");
    return by_script ? "X" : "E";
  }
  // Until the protocol is settled.
  void Measure() {
    for (std::size_t i = 0; i < LoneForm::kFirst + 2 * LoneForm::kSamples; ++i) Look(world.table);
  }
  Protocol better() { return world.pool->hosts()[0].lone_form.better(); }

  PreparedWorld world;
  Duration simple = microseconds(135);
  Duration extended = microseconds(226);
};

TEST_F(PoolAlone, ItGoesAsTextWhereThatIsAnsweredSooner) {
  Measure();
  EXPECT_EQ(better(), Protocol::kSimple);
  const auto client = world.Look("o'brien", world.table);
  world.Turn();
  EXPECT_EQ(world.connection().history().back(), 'X');
  EXPECT_EQ(world.connection().oldest()->sql, "SELECT v FROM t WHERE k = 'o''brien'");
  world.connection().Answer("v");
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolAlone, ItStaysPreparedWhereThatIsBetter) {
  extended = microseconds(50);
  Measure();
  EXPECT_EQ(better(), Protocol::kExtended);
  EXPECT_EQ(Look(world.table), "E");
}

TEST_F(PoolAlone, SeveralGoInOneBatch) {
  Measure();
  const auto one = world.Look("a", world.table);
  const auto two = world.Look("b", world.table);
  world.Turn();
  EXPECT_TRUE(world.connection().history().ends_with("|"));
  world.connection().AnswerEverything("v");
  EXPECT_EQ(one->value, "v");
  EXPECT_EQ(two->value, "v");
}

// The one in front would have to be answered before anything else may be sent.
TEST_F(PoolAlone, NothingIsSentBehindIt) {
  Measure();
  const auto one = world.Look("a", world.table);
  world.Turn();
  const auto two = world.Look("b", world.table);
  const auto three = world.Look("c", world.reads);
  world.Pass(milliseconds(5));
  EXPECT_EQ(world.connection().unanswered(), 1U);
  world.connection().Answer("v");
  EXPECT_EQ(one->value, "v");
  world.Turn();
  EXPECT_TRUE(world.connection().history().ends_with("|"));
  world.connection().AnswerEverything("w");
  EXPECT_EQ(two->value, "w");
  EXPECT_EQ(three->value, "w");
}

TEST_F(PoolAlone, BehindOthersItGoesWithTheirs) {
  Measure();
  const auto one = world.Look("a", world.table);
  const auto two = world.Look("b", world.table);
  world.Turn();
  const auto three = world.Look("c", world.table);
  world.Pass(milliseconds(1));
  EXPECT_EQ(world.connection().unanswered(), 3U);
  EXPECT_NE(world.connection().history().back(), 'X');
  world.connection().AnswerEverything("v");
  EXPECT_EQ(three->value, "v");
}

// What the administrator has set stands.
TEST_F(PoolAlone, OtherModesAreLeftAlone) {
  Measure();
  for (const auto mode : {StatementMode::kLegacy, StatementMode::kPrepared,
                          StatementMode::kParameterized}) {
    EXPECT_EQ(Look(PoolWorld::Table(kQuery, WriteClass::kReads, mode)), "E");
  }
  EXPECT_EQ(Look(PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kAuto)), "X");
}

TEST_F(PoolAlone, WhatMayWriteIsNotConcerned) {
  Measure();
  EXPECT_EQ(Look(PoolWorld::Table("SELECT f('%s')", WriteClass::kMayWrite, StatementMode::kAuto)),
            "E");
}

TEST_F(PoolAlone, AfterALossItIsAskedAgain) {
  Measure();
  const auto client = world.Look("a", world.table);
  world.Turn();
  EXPECT_EQ(world.connection().history().back(), 'X');
  world.connection().Lose("gone");
  world.Pass(milliseconds(1));
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(client->answers, 1);
}

TEST_F(PoolAlone, ErrorsMeanWhatTheyMeanOtherwise) {
  Measure();
  const auto key = world.Look("a", world.table);
  world.Turn();
  world.connection().Fail("22P02", "invalid input");
  world.Turn();
  EXPECT_EQ(key->outcome, Outcome::kRetry);
  const auto query = world.Look("a", world.table);
  world.Turn();
  world.connection().Fail("42P01", "no such table");
  world.Turn();
  EXPECT_EQ(query->outcome, Outcome::kConfig);
}

}  // namespace
}  // namespace proxymux::pgsql
