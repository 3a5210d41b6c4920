// Lookups with parameters on a server that takes them: when a statement is prepared, and how long
// it and its session are used.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/prepared_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

TEST(PoolPrepared, AStatementIsPreparedWithItsFirstLookupAndThenUsed) {
  PreparedWorld world;
  const auto first = world.Look("o'brien", world.table);
  world.Turn();
  auto& connection = world.connection();
  EXPECT_EQ(connection.history(), "PE|");
  EXPECT_EQ(connection.oldest()->sql, "SELECT v FROM t WHERE k = $1");
  connection.Answer("");  // PREPARE
  EXPECT_EQ(first->answers, 0);
  EXPECT_EQ(connection.oldest()->parameters, Strings{"o'brien"});
  connection.Answer("v");
  EXPECT_EQ(first->value, "v");
  const auto second = world.Look("b", world.table);
  const auto third = world.Look("c", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|EE|");
  connection.AnswerEverything("w");
  EXPECT_EQ(second->value, "w");
  EXPECT_EQ(third->value, "w");
  EXPECT_EQ(world.pool->counters().prepares, 1U);
}

// What it means was settled when it was prepared.
TEST(PoolPrepared, AStatementIsUsedForASecondAndThenPreparedAnew) {
  PreparedWorld world;
  Warm(world);
  auto& connection = world.connection();
  world.Pass(milliseconds(980));
  const auto first = world.Look("a", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|E|");
  connection.AnswerEverything("v");
  world.Pass(milliseconds(20));
  const auto second = world.Look("b", world.table);
  const auto third = world.Look("c", world.table);
  world.Turn();
  EXPECT_EQ(connection.history(), "PE|E|S|PEE|");
  EXPECT_TRUE(connection.oldest()->sql.starts_with("DEALLOCATE \"proxymux_"));
  connection.Fail("26000", "prepared statement does not exist");  // which was wanted
  EXPECT_EQ(second->answers, 0);
  connection.AnswerEverything("v");
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(third->value, "v");
  EXPECT_TRUE(world.observer.vanished.empty());
  EXPECT_TRUE(world.pool->Idle());
  EXPECT_EQ(world.pool->WorkInUse(), 0U);
}

TEST(PoolPrepared, AnHourLeavesNothingBehind) {
  PreparedWorld world;
  world.table = PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kPrepared);
  std::size_t deallocated = 0;
  for (int i = 0; i < 3600; ++i) {
    const auto client = world.Look("a", world.table);
    world.Turn();
    deallocated += world.connection().oldest()->sql.starts_with("DEALLOCATE") ? 1 : 0;
    world.connection().AnswerEverything("v");
    ASSERT_EQ(client->value, "v");
    world.Pass(seconds(1));
  }
  EXPECT_EQ(world.pool->counters().prepares, 3600U);
  EXPECT_EQ(deallocated, 3599U);
  EXPECT_EQ(world.connection().number(), 0);
}

TEST(PoolPrepared, IsForgottenWhenItIsAskedFor) {
  PreparedWorld world;
  Warm(world);
  world.pool->ForgetStatements();
  const auto client = world.Look("a", world.table);
  world.Turn();
  EXPECT_EQ(world.connection().history(), "PE|S|PE|");
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolOutdated, WhatReadsIsAskedInANewSessionAndWhatWritesIsAnswered) {
  PreparedWorld world;
  Warm(world);
  auto& connection = world.connection();
  const auto reads = world.Look("a", world.table);
  const auto writes = world.Look("b", world.writes);
  const auto refused = world.Look("c", world.table);
  world.Turn();
  connection.Outdate();
  connection.Answer("old");
  connection.Answer("written");
  connection.Fail("42P01", "relation \"t\" does not exist");
  EXPECT_EQ(reads->answers, 0);
  EXPECT_EQ(writes->value, "written");
  EXPECT_EQ(refused->answers, 0);
  world.Turn();
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_EQ(world.connection().number(), 1);
  EXPECT_EQ(world.connection().history(), "PEE|");
  world.connection().AnswerEverything("new");
  EXPECT_EQ(reads->value, "new");
  EXPECT_EQ(refused->value, "new");
}

TEST(PoolOutdated, AnIdleConnectionEndsAtOnce) {
  PreparedWorld world;
  Warm(world);
  world.connection().Outdate();
  world.Turn();
  EXPECT_TRUE(world.Open().empty());
  Warm(world);
  EXPECT_EQ(world.connection().number(), 1);
}

// One of them has asked: the others, of the same role and database, are no newer.
TEST(PoolOutdated, AllConnectionsToTheHostAre) {
  PreparedWorld world(3);
  world.OpenAll();
  world.connection().Outdate();
  const auto client = world.Look("a", world.table);
  world.Turn();
  ASSERT_FALSE(world.Open().empty());
  for (auto* upstream : world.Open()) EXPECT_GE(upstream->number(), 3);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolPrepared, EveryConnectionPreparesForItself) {
  PreparedWorld world(2);
  world.OpenAll();
  const auto first = world.Look("a", world.table);
  const auto second = world.Look("b", world.table);
  world.Turn();
  for (auto* upstream : world.Open()) {
    EXPECT_TRUE(upstream->history().ends_with("|PE|")) << upstream->history();
    upstream->AnswerEverything("v");
  }
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
}

// Otherwise a neighbour's error would keep the PREPARE from being run.
TEST(PoolPrepared, APrepareIsTheFirstOfItsBatch) {
  PreparedWorld world;
  world.OpenAll();
  const auto text = world.Look("a");
  const auto prepared = world.Look("b", world.table);
  world.Turn();
  auto& connection = world.connection();
  EXPECT_TRUE(connection.history().ends_with("S|PE|")) << connection.history();
  connection.Fail("22P02", "invalid input syntax");
  connection.Answer("");
  connection.Answer("v");
  EXPECT_EQ(text->outcome, Outcome::kRetry);
  EXPECT_EQ(prepared->value, "v");
}

TEST(PoolPrepared, WhatMayWriteHasABatchOfItsOwn) {
  PreparedWorld world;
  const auto writes =
      PoolWorld::Table("SELECT f('%s')", WriteClass::kMayWrite, StatementMode::kAuto);
  const auto first = world.Look("a", writes);
  const auto second = world.Look("b", writes);
  world.Turn();
  EXPECT_EQ(world.connection().history(), "PE|E|");
  EXPECT_EQ(world.connection().commits(), 2);  // its answers wait for the end
  world.connection().AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
}

TEST(PoolPrepared, WhatTextCouldNotHoldIsNotFoundInEitherForm) {
  PreparedWorld world;
  Warm(world);
  const auto client = world.Look("a\xff", world.table);
  world.Turn();
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->reason, ExpansionText(Expansion::kNotEscapable));
  EXPECT_EQ(world.connection().history(), "PE|");
}

TEST(PoolPrepared, WithoutStandardStringsEverythingIsText) {
  PreparedWorld world;
  world.OpenAll();
  world.connection().SetDoublesBackslashes();
  const auto client = world.Look("a", world.table);
  world.Turn();
  EXPECT_TRUE(world.connection().history().ends_with("|S|")) << world.connection().history();
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolPrepared, AConnectionWithTooManyStatementsIsReplaced) {
  PreparedWorld world;
  for (std::size_t i = 0; i <= PreparedStatements::kMost; ++i) {
    const auto table = PoolWorld::Table("SELECT v FROM t" + std::to_string(i) + " WHERE k = '%s'",
                                        WriteClass::kReads, StatementMode::kPrepared);
    const auto client = world.Look("a", table);
    world.Turn();
    ASSERT_EQ(world.connection().history().ends_with("PE|"), i < PreparedStatements::kMost) << i;
    world.connection().AnswerEverything("v");
    ASSERT_EQ(client->value, "v");
  }
  world.Turn();
  Warm(world);
  EXPECT_EQ(world.connection().number(), 1);
  EXPECT_EQ(world.connection().history(), "PE|");
}

TEST(PoolParameterized, ValuesStandBesideTheText) {
  PreparedWorld world;
  world.table = PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kParameterized);
  const auto client = world.Look("o'brien", world.table);
  world.Turn();
  EXPECT_EQ(world.connection().history(), "S|");
  EXPECT_EQ(world.connection().oldest()->sql, "SELECT v FROM t WHERE k = $1");
  EXPECT_EQ(world.connection().oldest()->parameters, Strings{"o'brien"});
  world.connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
