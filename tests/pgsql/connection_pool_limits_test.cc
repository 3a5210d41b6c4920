// Time limits and other bounds of a pool, statements in scripts, and asking the catalogue.
#include <gtest/gtest.h>

#include "pgsql/connection_pool.h"
#include "tests/pgsql/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

PoolWorld::Options OneConnection() {
  PoolWorld::Options options;
  options.settings.connections = 1;
  return options;
}

fakes::ScriptedUpstream* BusyOne(const PoolWorld& world) {
  for (auto* upstream : world.Open()) {
    if (upstream->unanswered() > 0) return upstream;
  }
  return nullptr;
}

TEST(PoolLimits, WhatDoesNotFitInTheQueueIsRetryAndTheNewestGoFirst) {
  auto options = OneConnection();
  options.settings.pipeline_depth = 1;
  options.settings.queue_limit = 3;
  PoolWorld world(options);
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  EXPECT_EQ(clients[3]->answers, 0);
  for (int i : {4, 5}) {
    EXPECT_EQ(clients[i]->outcome, Outcome::kRetry);
    EXPECT_NE(clients[i]->reason.find("queue_limit"), std::string::npos);
  }
  EXPECT_EQ(world.pool->counters().queue_full, 2U);
  for (int i = 0; i < 4; ++i) {
    world.Connection(0).Answer("v");
    world.Turn();
    EXPECT_EQ(clients[i]->value, "v");
  }
}

TEST(PoolLimits, AFullQueueDoesNotForgetToAskTheCatalogue) {
  auto options = OneConnection();
  options.settings.pipeline_depth = 1;
  options.settings.queue_limit = 1;
  PoolWorld world(options);
  world.OpenAll();
  const auto running = world.Look("running");
  const auto waiting = world.Look("waiting");
  world.Turn();
  const auto table = PoolWorld::Table("SELECT f('%s')", WriteClass::kUnknown);
  const auto crowded_out = world.Look("k", table);
  world.Turn();
  EXPECT_EQ(crowded_out->outcome, Outcome::kRetry);
  EXPECT_EQ(table->write_class, WriteClass::kUnknown);  // the next lookup asks
  world.Connection(0).Answer("v");
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(waiting->value, "v");
}

TEST(PoolLimits, WhoWaitsLongerThanQueueWaitIsAnsweredRetry) {
  auto options = OneConnection();
  options.settings.pipeline_depth = 1;
  options.settings.queue_wait = milliseconds(500);
  PoolWorld world(options);
  world.OpenAll();
  const auto running = world.Look("running");
  const auto waiting = world.Look("waiting");
  world.Pass(milliseconds(490));
  EXPECT_EQ(waiting->answers, 0);
  world.Pass(milliseconds(40));
  EXPECT_EQ(waiting->outcome, Outcome::kRetry);
  EXPECT_EQ(waiting->answers, 1);
  EXPECT_EQ(running->answers, 0);
  EXPECT_EQ(world.pool->counters().queue_timeouts, 1U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(running->value, "v");
}

TEST(PoolLimits, LookupTimeoutBoundsOneLookupOverEverything) {
  PoolWorld world(OneConnection());
  world.reads->settings.lookup_timeout = seconds(2);
  world.reads->settings.query_timeout = seconds(60);
  world.OpenAll();
  const auto client = world.Look("k");
  world.Pass(milliseconds(1990));
  EXPECT_EQ(client->answers, 0);
  world.Pass(milliseconds(40));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->answers, 1);
  EXPECT_NE(client->reason.find("lookup_timeout"), std::string::npos);
  world.Connection(0).Answer("late");  // to nobody
  EXPECT_TRUE(world.pool->Quiet());
}

TEST(PoolLimits, AStatementThatTakesTooLongIsCancelledAndRunElsewhere) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  auto* slow = BusyOne(world);
  world.Pass(milliseconds(1040));
  EXPECT_EQ(slow->cancels(), 1);
  EXPECT_EQ(world.pool->counters().statement_timeouts, 1U);
  EXPECT_EQ(client->answers, 0);
  slow->Fail("57014", "canceling statement due to user request");
  world.Turn();
  auto* other = BusyOne(world);
  ASSERT_NE(other, nullptr);
  EXPECT_NE(other->host(), slow->host());
  other->Answer("v");
  EXPECT_EQ(client->value, "v");
  // The connection is good again.
  world.Pass(seconds(2));
  EXPECT_TRUE(world.observer.lost.empty());
  EXPECT_EQ(world.Open().size(), 4U);
}

TEST(PoolLimits, AStatementThatTakesTooLongOnTheOnlyHostIsRetry) {
  PoolWorld world(OneConnection());
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto client = world.Look("k");
  world.Pass(milliseconds(1040));
  EXPECT_EQ(world.observer.timeouts, std::vector<std::string>{"a"});
  // Nothing new goes there until it is over.
  const auto later = world.Look("later");
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 1U);
  world.Connection(0).Fail("57014", "canceling statement due to user request");
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_NE(client->reason.find("query_timeout"), std::string::npos);
  world.Turn();
  world.Connection(0).AnswerEverything("v");
  EXPECT_EQ(later->value, "v");
  EXPECT_EQ(client->answers, 1);
}

TEST(PoolLimits, WhoseNeighbourTookTooLongRunsAgain) {
  PoolWorld world(OneConnection());
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto slow = world.Look("slow");
  const auto behind = world.Look("behind");
  for (int i = 0; i < 2; ++i) {
    world.Pass(milliseconds(1040));
    ASSERT_EQ(world.Connection(0).cancels(), i + 1);
    EXPECT_EQ(slow->answers, 0);
    world.Connection(0).Fail("57014", "canceling statement due to user request");
    world.Turn();
  }
  EXPECT_EQ(slow->outcome, Outcome::kRetry);
  EXPECT_EQ(slow->answers, 1);
  world.Connection(0).Answer("v");
  EXPECT_EQ(behind->value, "v");
}

TEST(PoolLimits, AServerThatIgnoresTheCancelRequestIsDropped) {
  PoolWorld world(OneConnection());
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto client = world.Look("k");
  world.Pass(milliseconds(1040));
  EXPECT_EQ(world.Connection(0).number(), 0);
  world.Pass(milliseconds(1040));
  EXPECT_EQ(world.observer.lost.size(), 1U);
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_EQ(world.Connection(0).number(), 1);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

// The cancel request is carried by a connection of its own: it may arrive when the statement that
// it was meant for has just been answered.
TEST(PoolLimits, ACancelRequestThatComesLateHitsAnotherWhichRunsAgain) {
  PoolWorld world(OneConnection());
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto slow = world.Look("slow");
  world.Pass(milliseconds(1040));
  ASSERT_EQ(world.Connection(0).cancels(), 1);
  world.Connection(0).Answer("just in time");
  EXPECT_EQ(slow->value, "just in time");
  const auto next = world.Look("next");
  world.Turn();
  world.Connection(0).Fail("57014", "canceling statement due to user request");
  EXPECT_EQ(next->answers, 0);
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(next->value, "v");
  // It hit once: the next one is not ours.
  const auto third = world.Look("third");
  world.Turn();
  world.Connection(0).Fail("57014", "canceling statement due to statement timeout");
  EXPECT_EQ(third->outcome, Outcome::kRetry);
}

// A busy loop must not put off the clock.
TEST(PoolLimits, TimeLimitsHoldWhileOtherConnectionsAreBusy) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto stuck = world.Look("stuck");
  world.Turn();
  auto* frozen = BusyOne(world);
  for (int i = 0; i < 110; ++i) {
    const auto client = world.Look("k");
    world.Pass(milliseconds(10));
    for (auto* upstream : world.Open()) {
      if (upstream != frozen) upstream->AnswerEverything("v");
    }
    ASSERT_EQ(client->value, "v");
  }
  EXPECT_EQ(frozen->cancels(), 1);
  frozen->Answer("after all");
  EXPECT_EQ(stuck->value, "after all");
}

TEST(PoolLimits, AScriptHasAnIdleConnectionForItself) {
  PoolWorld world(OneConnection());
  world.OpenAll();
  const auto before = world.Look("before");
  world.Turn();
  const auto script = world.Look("s", world.script);
  const auto after = world.Look("after");
  world.Turn();
  auto& connection = world.Connection(0);
  EXPECT_EQ(connection.unanswered(), 1U);
  connection.Answer("v");
  world.Turn();
  EXPECT_TRUE(connection.history().ends_with("S|X")) << connection.history();
  EXPECT_EQ(connection.oldest()->sql, "SET x = 1; SELECT v FROM t WHERE k = 's'");
  connection.Answer("script");
  world.Turn();
  EXPECT_TRUE(connection.history().ends_with("XS|")) << connection.history();
  connection.Answer("v");
  EXPECT_EQ(before->value, "v");
  EXPECT_EQ(script->value, "script");
  EXPECT_EQ(after->value, "v");
}

TEST(PoolLimits, AScriptIsNotStarvedByAStreamOfOthersNorDoesItStopThem) {
  PoolWorld::Options options;
  options.settings.connections = 2;
  PoolWorld world(options);
  world.OpenAll();
  std::vector<ClientPointer> others;
  for (int i = 0; i < 4; ++i) others.push_back(world.Look("k"));
  world.Turn();
  const auto script = world.Look("s", world.script);
  int answered_others = 0;
  for (int i = 0; i < 10 && script->answers == 0; ++i) {
    others.push_back(world.Look("k"));
    others.push_back(world.Look("k"));
    world.Turn();
    for (auto* upstream : world.Open()) {
      if (upstream->answerable() > 0) upstream->Answer("v");
    }
    world.Turn();
  }
  EXPECT_EQ(script->value, "v");
  for (const auto& other : others) answered_others += other->answers;
  EXPECT_GT(answered_others, 4);
  for (int i = 0; i < 30; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& other : others) EXPECT_EQ(other->value, "v");
}

TEST(PoolLimits, AScriptThatFailsTakesNobodyAlong) {
  PoolWorld world(OneConnection());
  world.OpenAll();
  const auto script = world.Look("s", world.script);
  world.Turn();
  world.Connection(0).Fail("22012", "division by zero");
  EXPECT_EQ(script->outcome, Outcome::kRetry);
  const auto after = world.Look("after");
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(after->value, "v");
}

class Classification : public testing::Test {
 protected:
  Classification() { world.OpenAll(); }
  fakes::ScriptedUpstream& connection() { return world.Connection(0); }

  PoolWorld world{OneConnection()};
  std::shared_ptr<TableBinding> table =
      PoolWorld::Table("SELECT lower(f('%s'))", WriteClass::kUnknown);
};

TEST_F(Classification, TheCatalogueIsAskedOnceAndLookupsDoNotWaitForIt) {
  const auto first = world.Look("1", table);
  const auto second = world.Look("2", table);
  world.Turn();
  ASSERT_EQ(connection().unanswered(), 3U);
  EXPECT_EQ(table->write_class, WriteClass::kAsking);
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  EXPECT_EQ(connection().oldest()->parameters,
            (std::vector<std::string>{"{\"f\",\"lower\"}", "{}"}));
  EXPECT_TRUE(connection().history().ends_with("|S|S|S|")) << connection().history();
  connection().Answer("f");
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  connection().AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  const auto third = world.Look("3", table);
  const auto fourth = world.Look("4", table);
  world.Turn();
  EXPECT_TRUE(connection().history().ends_with("|SS|")) << connection().history();
  connection().AnswerEverything("v");
}

TEST_F(Classification, AVolatileFunctionMayWrite) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Answer("t");
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kMayWrite);
  EXPECT_TRUE(world.observer.unclassified.empty());
}

TEST_F(Classification, ACatalogueThatMayNotBeReadMeansMayWriteAndIsTold) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Fail("42501", "permission denied for table pg_proc");
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kMayWrite);
  EXPECT_EQ(world.observer.unclassified.size(), 1U);
  EXPECT_EQ(client->value, "v");
}

TEST_F(Classification, WhenTheConnectionIsLostTheQuestionIsAskedAgain) {
  const auto client = world.Look("1", table);
  world.Turn();
  connection().Lose("gone");
  world.Turn();
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  connection().Answer("f");
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  EXPECT_EQ(client->value, "v");
}

TEST_F(Classification, WithoutAnyHostItIsAskedWithTheNextLookup) {
  const auto client = world.Look("1", table);
  world.Turn();
  world.factory.SetMood(0, Mood::kRefuses);
  connection().Lose("gone");
  world.Turn();
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(table->write_class, WriteClass::kUnknown);
  world.factory.SetMood(0, Mood::kAccepts);
  world.Pass(seconds(2));
  const auto next = world.Look("2", table);
  world.Turn();
  EXPECT_NE(connection().oldest()->sql.find("pg_proc"), std::string::npos);
  connection().Answer("f");
  connection().AnswerEverything("v");
  EXPECT_EQ(table->write_class, WriteClass::kReads);
}

TEST_F(Classification, AStatementThatTheCatalogueAnswersTooSlowlyIsAskedAgain) {
  const auto client = world.Look("1", table);
  table->settings.query_timeout = seconds(1);
  world.Pass(milliseconds(1040));
  connection().Fail("57014", "canceling statement due to user request");
  connection().AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(table->write_class, WriteClass::kUnknown);
}

}  // namespace
}  // namespace proxymux::pgsql
