// Lookups with parameters that a server does not take, prepared statements that it forgets or that
// no longer fit: the lookup is answered all the same, as text if need be.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/prepared_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

TEST(PoolPrepared, AParameterWithoutATypeIsDeclaredText) {
  PreparedWorld world;
  const auto client = world.Look("a", world.table);
  world.Turn();
  auto& connection = world.connection();
  connection.Fail("42P18", "could not determine data type of parameter $1");
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|PE|");
  EXPECT_EQ(connection.oldest()->types, std::vector<std::uint32_t>{25});
  connection.AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_TRUE(world.observer.kept_as_text.empty());
}

TEST(PoolPrepared, TwoConnectionsThatLearnOfAnUntypedParameterAgree) {
  PreparedWorld world(2);
  world.OpenAll();
  const auto first = world.Look("a", world.table);
  const auto second = world.Look("b", world.table);
  world.Turn();
  for (auto* upstream : world.Open()) {
    upstream->Fail("42P18", "could not determine data type of parameter $1");
  }
  world.Turn();
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(world.table->plan.form(world.loop.Now()), StatementForm::kPrepared);
}

TEST(PoolPrepared, WhatTheServerDoesNotPrepareGoesOnAsTextWithOneLogLine) {
  PreparedWorld world;
  const auto first = world.Look("a", world.table);
  const auto second = world.Look("b", world.table);
  world.Turn();
  auto& connection = world.connection();
  connection.Fail("42883", "operator does not exist");
  world.Turn();
  EXPECT_EQ(connection.history(), "PEE|SS|");
  EXPECT_EQ(connection.oldest()->sql, "SELECT v FROM t WHERE k = 'a'");
  connection.AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(world.observer.kept_as_text,
            Strings{"the server refused it with parameters: operator does not exist"});
  const auto third = world.Look("c", world.table);
  world.Turn();
  connection.AnswerEverything("v");
  EXPECT_EQ(third->value, "v");
  EXPECT_EQ(world.observer.kept_as_text.size(), 1U);
}

TEST(PoolPrepared, ABrokenQueryIsConfigAndIsPreparedAgainOnceItIsMended) {
  PreparedWorld world;
  const auto first = world.Look("a", world.table);
  world.Turn();
  auto& connection = world.connection();
  connection.Fail("42P01", "relation \"t\" does not exist");
  world.Turn();
  connection.Fail("42P01", "relation \"t\" does not exist");
  EXPECT_EQ(first->outcome, Outcome::kConfig);
  const auto second = world.Look("b", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|S|S|");
  connection.Fail("42P01", "relation \"t\" does not exist");
  EXPECT_EQ(second->outcome, Outcome::kConfig);
  world.Pass(seconds(2));
  const auto third = world.Look("c", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|S|S|PE|");
  connection.AnswerEverything("v");
  EXPECT_EQ(third->value, "v");
  EXPECT_TRUE(world.observer.kept_as_text.empty());
}

TEST(PoolPrepared, AStatementThatNoLongerFitsRunsAsTextAndIsPreparedAnew) {
  PreparedWorld world;
  Warm(world);
  auto& connection = world.connection();
  const auto first = world.Look("a", world.table);
  const auto second = world.Look("b", world.table);
  world.Turn();
  connection.Fail("0A000", "cached plan must not change result type");
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|EE|S|S|PE|");
  connection.AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  EXPECT_TRUE(world.observer.vanished.empty());
}

TEST(PoolPrepared, StatementsThatVanishOnceArePreparedAgain) {
  PreparedWorld world;
  Warm(world);
  auto& connection = world.connection();
  const auto first = world.Look("a", world.table);
  world.Turn();
  connection.Fail("26000", "prepared statement does not exist");
  world.Turn();
  connection.AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  const auto second = world.Look("b", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|E|S|PE|");
  connection.AnswerEverything("w");
  EXPECT_EQ(second->value, "w");
}

TEST(PoolPrepared, WhereStatementsKeepVanishingNothingIsPreparedForAWhile) {
  PreparedWorld world;
  Warm(world);
  for (int i = 0; i < 2; ++i) {
    const auto client = world.Look("a", world.table);
    world.Turn();
    world.connection().Fail("26000", "prepared statement does not exist");
    world.Pass(seconds(1));
    world.connection().AnswerEverything("v");
    EXPECT_EQ(client->value, "v");
    if (i == 0) Warm(world);
  }
  EXPECT_EQ(world.observer.vanished, Strings{"a"});
  const auto client = world.Look("b", world.table);
  world.Turn();
  EXPECT_TRUE(world.connection().history().ends_with("|S|")) << world.connection().history();
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  world.Pass(minutes(10));
  const auto later = world.Look("c", world.table);
  world.Turn();
  EXPECT_TRUE(world.connection().history().ends_with("PE|")) << world.connection().history();
  world.connection().AnswerEverything("v");
  EXPECT_EQ(later->value, "v");
}

TEST(PoolPrepared, AKeyThatDoesNotFitFailsAloneAndKeepsTheStatement) {
  PreparedWorld world;
  Warm(world);
  auto& connection = world.connection();
  const auto odd = world.Look("x", world.table);
  const auto even = world.Look("2", world.table);
  world.Turn();
  connection.Fail("22P02", "invalid input syntax for type integer: \"x\"");
  world.Turn();
  connection.AnswerEverything("v");
  EXPECT_EQ(odd->outcome, Outcome::kRetry);
  EXPECT_EQ(even->value, "v");
  EXPECT_EQ(connection.history(), "PE|EE|E|");
}

TEST(PoolPrepared, AServerShortOfMemoryForAPrepareAnswersText) {
  PreparedWorld world;
  const auto client = world.Look("a", world.table);
  world.Turn();
  world.connection().Fail("53200", "out of memory");
  world.Turn();
  EXPECT_EQ(world.connection().history(), "PE|S|");
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolPrepared, AConnectionLostInAPrepareLosesNoLookup) {
  PreparedWorld world;
  const auto client = world.Look("a", world.table);
  world.Turn();
  world.connection().Lose("server closed the connection unexpectedly");
  world.Turn();
  EXPECT_EQ(world.connection().history(), "PE|");
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_TRUE(world.pool->Idle());
}

TEST(PoolParameterized, WhatTheServerDoesNotTakeGoesOnAsText) {
  PreparedWorld world;
  world.table = PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kParameterized);
  const auto client = world.Look("a", world.table);
  world.Turn();
  auto& connection = world.connection();
  connection.Fail("42P18", "could not determine data type of parameter $1");
  world.Turn();
  EXPECT_EQ(connection.oldest()->types, std::vector<std::uint32_t>{25});
  connection.Fail("42883", "operator does not exist");
  world.Turn();
  EXPECT_EQ(connection.oldest()->sql, "SELECT v FROM t WHERE k = 'a'");
  connection.AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.observer.kept_as_text.size(), 1U);
}

}  // namespace
}  // namespace proxymux::pgsql
