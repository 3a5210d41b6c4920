// Behind a pooler: one batch at a time on each connection, since a pooler may give its server to
// somebody else when a batch ends, whatever of the next one it has passed on.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using config::StatementMode;
using std::chrono::milliseconds;

constexpr char kQuery[] = "SELECT v FROM t WHERE k = '%s'";

class PoolPooler : public testing::Test {
 protected:
  PoolPooler() : world_(PoolWorld::Connections(1)) {
    world_.factory.SetPooled();
    world_.OpenAll();
  }
  fakes::ScriptedUpstream& connection() { return world_.Connection(0); }

  PoolWorld world_;
};

TEST_F(PoolPooler, TheNextBatchWaitsUntilTheOneBeforeItIsAnswered) {
  const std::string before = connection().history();
  const auto first = world_.Look("a");
  const auto second = world_.Look("b");
  world_.Turn();
  const auto third = world_.Look("c");
  world_.Pass(milliseconds(50));
  EXPECT_EQ(connection().history(), before + "SS|");
  connection().Answer("1");
  world_.Pass(milliseconds(50));
  EXPECT_EQ(connection().history(), before + "SS|");
  connection().Answer("2");
  world_.Pass(milliseconds(20));
  EXPECT_EQ(connection().history(), before + "SS|S|");
  connection().Answer("3");
  EXPECT_EQ(third->value, "3");
}

TEST_F(PoolPooler, AServersOwnConnectionTakesTheNextBatchAtOnce) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  const std::string before = world.Connection(0).history();
  const auto first = world.Look("a");
  world.Turn();
  const auto second = world.Look("b");
  world.Pass(milliseconds(20));
  EXPECT_EQ(world.Connection(0).history(), before + "S|S|");
  EXPECT_EQ(world.Connection(0).commits(), 0);  // reads wait for nothing else
  world.Connection(0).AnswerEverything("v");
}

// Until it is known there may be one; each connection knows for itself.
TEST_F(PoolPooler, TheNextBatchIsSentAsSoonAsItIsKnownThatThereIsNone) {
  const std::string before = connection().history();
  const auto first = world_.Look("a");
  world_.Turn();
  const auto second = world_.Look("b");
  world_.Pass(milliseconds(20));
  EXPECT_EQ(connection().history(), before + "S|");
  connection().LearnNoPooler();
  world_.Pass(milliseconds(20));
  EXPECT_EQ(connection().history(), before + "S|S|");
  connection().AnswerEverything("v");
  EXPECT_EQ(second->value, "v");
  connection().Lose("gone");
  const auto third = world_.Look("c");
  world_.Turn();
  const auto fourth = world_.Look("d");
  world_.Pass(milliseconds(20));
  EXPECT_EQ(connection().history(), "S|");
  connection().AnswerEverything("v");
  world_.Pass(milliseconds(20));
  connection().AnswerEverything("v");
  EXPECT_EQ(fourth->value, "v");
}

TEST_F(PoolPooler, WhatMayWriteWaitsForABatchOfItsOwn) {
  const auto prepared = PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kPrepared);
  const std::string before = connection().history();
  const auto reads = world_.Look("a");
  const auto writes = world_.Look("b", world_.writes);
  const auto more = world_.Look("c", prepared);
  for (int i = 0; i < 5; ++i) {
    world_.Pass(milliseconds(20));
    const std::string history = connection().history().substr(before.size());
    // Never a batch more than are answered.
    if (connection().unanswered() > 0) {
      EXPECT_EQ(connection().unanswered(),
                history.substr(history.rfind('|', history.size() - 2) + 1).size() - 1)
          << history;
    }
    connection().AnswerEverything("v");
  }
  EXPECT_EQ(reads->value, "v");
  EXPECT_EQ(writes->value, "v");
  EXPECT_EQ(more->value, "v");
}

// Some keep statements by their text, for longer than we do, and some lose them.
TEST_F(PoolPooler, NothingIsPreparedUntilItIsKnownThatThereIsNone) {
  const auto prepared = PoolWorld::Table(kQuery, WriteClass::kReads, StatementMode::kPrepared);
  const std::string before = connection().history();
  const auto first = world_.Look("a", prepared);
  world_.Turn();
  EXPECT_EQ(connection().history(), before + "S|");
  EXPECT_EQ(connection().oldest()->sql, "SELECT v FROM t WHERE k = $1");
  connection().AnswerEverything("v");
  connection().LearnNoPooler();
  const auto second = world_.Look("b", prepared);
  world_.Turn();
  EXPECT_EQ(connection().history(), before + "S|PE|");
  connection().AnswerEverything("v");
  EXPECT_EQ(second->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
