// Time limits and other bounds of a pool.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolLimits, WhatDoesNotFitInTheQueueIsRetryAndTheNewestGoFirst) {
  auto options = PoolWorld::Connections(1);
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
  auto options = PoolWorld::Connections(1);
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
  // The question is no lookup: it takes nobody's place, and none takes its.
  EXPECT_EQ(table->write_class, WriteClass::kAsking);
  world.Connection(0).Answer("v");
  world.Turn();
  world.Connection(0).Answer(kShared);
  EXPECT_EQ(table->write_class, WriteClass::kReads);
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(waiting->value, "v");
}

TEST(PoolLimits, WhoWaitsLongerThanQueueWaitIsAnsweredRetry) {
  auto options = PoolWorld::Connections(1);
  options.settings.pipeline_depth = 1;
  options.settings.queue_wait = milliseconds(500);
  PoolWorld world(options);
  world.OpenAll();
  const auto running = world.Look("running");
  const auto waiting = world.Look("waiting");
  world.Pass(milliseconds(490));
  EXPECT_EQ(waiting->answers, 0);
  world.Pass(milliseconds(10));
  EXPECT_EQ(waiting->outcome, Outcome::kRetry);
  EXPECT_EQ(waiting->answers, 1);
  EXPECT_EQ(running->answers, 0);
  EXPECT_EQ(world.pool->counters().queue_timeouts, 1U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(running->value, "v");
}

// One line tells what to look at.
TEST(PoolLimits, WhoWasNotSentInTimeIsToldWhatKeptTheConnectionsBusy) {
  PoolWorld::Options options;
  options.settings.connections = 2;
  options.settings.pipeline_depth = 1;
  options.settings.queue_wait = milliseconds(500);
  PoolWorld world(options);
  world.OpenAll();
  const auto slow = PoolWorld::Table("SELECT s FROM t WHERE k = '%s'", WriteClass::kReads);
  slow->name = "pgsql:slow.cf";
  slow->service_time = {};
  slow->service_time.Record(milliseconds(200));
  const auto own = PoolWorld::Table("SELECT o FROM t WHERE k = '%s'", WriteClass::kReads);
  own->name = "pgsql:own.cf";
  own->session = SessionUse::kOwnSession;
  const auto in_lane = world.Look("k", slow);
  world.Pass(milliseconds(10));
  const auto in_own = world.Look("k", own);
  world.Pass(milliseconds(10));
  const auto waiting = world.Look("k");
  world.Pass(milliseconds(520));
  EXPECT_EQ(waiting->outcome, Outcome::kRetry);
  const std::string kept =
      "it was not sent within queue_wait: 2 of 2 connections are busy, 1 of them with slow "
      "statements, 1 belong to tables that change sessions; the longest statement, of "
      "pgsql:slow.cf, has been under way for ";
  EXPECT_EQ(waiting->reason.substr(0, kept.size()), kept);
  const int taken = std::atoi(waiting->reason.c_str() + kept.size());
  EXPECT_GE(taken, 510);  // of virtual time
  EXPECT_LE(taken, 540);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(in_lane->value, "v");
  EXPECT_EQ(in_own->value, "v");
}

TEST(PoolLimits, OrThatNoConnectionWasReady) {
  auto options = PoolWorld::Connections(1);
  options.settings.queue_wait = milliseconds(500);
  PoolWorld world(options);
  world.factory.SetMood(0, Mood::kSilent);
  const auto waiting = world.Look("k");
  world.Pass(milliseconds(530));
  EXPECT_EQ(waiting->reason,
            "it was not sent within queue_wait: no connection was ready; no database host could be "
            "connected to yet");
}

TEST(PoolLimits, LookupTimeoutBoundsOneLookupOverEverything) {
  PoolWorld world(PoolWorld::Connections(1));
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
  EXPECT_EQ(world.pool->counters().lookup_timeouts, 1U);
  EXPECT_EQ(world.pool->counters().queue_timeouts, 0U);
  world.Connection(0).Answer("late");  // to nobody
  EXPECT_TRUE(world.pool->Idle());
}

TEST(PoolLimits, AStatementThatTakesTooLongIsCancelledAndRunElsewhere) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.reads->settings.query_timeout = seconds(1);
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  auto* slow = world.Busy();
  world.Pass(milliseconds(1040));
  EXPECT_EQ(slow->cancels(), 1);
  EXPECT_EQ(world.pool->counters().statement_timeouts, 1U);
  EXPECT_EQ(world.pool->counters().cancels, 1U);
  EXPECT_EQ(client->answers, 0);
  slow->Fail("57014", "canceling statement due to user request");
  world.Turn();
  auto* other = world.Busy();
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
  PoolWorld world(PoolWorld::Connections(1));
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
  PoolWorld world(PoolWorld::Connections(1));
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
  PoolWorld world(PoolWorld::Connections(1));
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
  PoolWorld world(PoolWorld::Connections(1));
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
  // The server signals a process and then its group: the next one may be hit as well.
  const auto echo = world.Look("echo");
  world.Turn();
  world.Connection(0).Fail("57014", "canceling statement due to user request");
  EXPECT_EQ(echo->answers, 0);
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(echo->value, "v");
  // A second later it is not ours.
  world.Pass(seconds(1));
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
  auto* frozen = world.Busy();
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

}  // namespace
}  // namespace proxymux::pgsql
