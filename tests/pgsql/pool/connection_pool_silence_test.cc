// What a pool does when a server owes an answer: it asks another host too, and the first answer
// wins.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Silence : public SilenceWorld {};

TEST_F(Silence, AfterStallLimitAndNotBeforeAnotherHostIsAskedToo) {
  Open(PoolWorld::Hosts(2));
  const auto client = Look("k");
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  world->Pass(milliseconds(980));
  EXPECT_EQ(Busy(1 - host), nullptr);
  world->Pass(milliseconds(60));
  second = Busy(1 - host);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->oldest()->sql, first->oldest()->sql);
  EXPECT_EQ(world->pool->counters().stalled, 1U);
  EXPECT_EQ(world->observer.silent.size(), 1U);
  second->Answer("other");
  EXPECT_EQ(client->value, "other");
}

TEST_F(Silence, TheSecondAnswerWinsAndTheFirstGoesToNobody) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  second->Answer("second");
  EXPECT_EQ(client->value, "second");
  first->Answer("first");
  EXPECT_EQ(client->answers, 1);
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Silence, TheFirstAnswerWinsAndTheSecondGoesToNobody) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  first->Answer("first");
  EXPECT_EQ(client->value, "first");
  EXPECT_FALSE(world->pool->Idle());
  second->Fail("40001", "conflict");
  EXPECT_EQ(client->answers, 1);
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Silence, AFirstWhoseConnectionIsLostWaitsForTheSecond) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  first->Lose("gone");
  world->Turn();
  EXPECT_EQ(client->answers, 0);
  EXPECT_FALSE(world->pool->Idle());
  EXPECT_EQ(world->pool->counters().reruns, 0U);
  second->Answer("second");
  EXPECT_EQ(client->value, "second");
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Silence, WhenBothAreLostTheLookupRunsAgain) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  first->Lose("gone");
  second->Lose("gone too");
  world->Turn();
  EXPECT_EQ(world->pool->counters().reruns, 1U);
  ASSERT_NE(Busy(), nullptr);
  Busy()->Answer("third");
  EXPECT_EQ(client->value, "third");
}

TEST_F(Silence, WhenTheSecondIsLostTheFirstGoesOn) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  second->Lose("gone");
  world->Turn();
  EXPECT_EQ(client->answers, 0);
  first->Answer("first");
  EXPECT_EQ(client->value, "first");
}

// Its host takes no connection: the second one waits in the queue when the first one is answered.
TEST_F(Silence, ASecondThatWasNotSentYetIsForgottenWithTheFirstAnswer) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 3;
  options.hosts = {HostKind::kUnixSocket, HostKind::kTcp};
  Open(options, 1);
  Freeze(1);
  const auto client = Look("k");
  world->Pass(kStall);
  EXPECT_EQ(world->pool->Gauges().queued, 1U);
  world->factory.OpenTo(0)[0]->Answer("first");
  EXPECT_EQ(client->value, "first");
  EXPECT_EQ(world->pool->Gauges().queued, 0U);
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Silence, AClientThatLeavesTakesBothAlong) {
  for (const char* const order : {"first", "second", "lost"}) {
    SCOPED_TRACE(order);
    Open(PoolWorld::Hosts(2));
    const auto client = LookTwice();
    if (std::string(order) == "lost") {
      first->Lose("gone");
      world->Turn();
    }
    world->Abandon(client);
    if (std::string(order) == "first") first->Answer("v");
    second->Answer("v");
    if (std::string(order) == "second") first->Answer("v");
    EXPECT_EQ(client->answers, 0);
    EXPECT_TRUE(world->pool->Idle());
    EXPECT_EQ(world->pool->WorkInUse(), 0U);
  }
}

TEST_F(Silence, AClientThatLeavesWhileTheSecondWaitsLeavesNothingBehind) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 3;
  options.hosts = {HostKind::kUnixSocket, HostKind::kTcp};
  Open(options, 1);
  Freeze(1);
  const auto client = Look("k");
  world->Pass(kStall);
  ASSERT_EQ(world->pool->Gauges().queued, 1U);
  world->Abandon(client);
  EXPECT_EQ(world->pool->Gauges().queued, 0U);
  world->factory.OpenTo(0)[0]->Answer("v");
  EXPECT_EQ(client->answers, 0);
  EXPECT_EQ(world->pool->WorkInUse(), 0U);
}

TEST_F(Silence, AnErrorThatTheOtherHostWouldRepeatIsAnAnswer) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  second->Fail("22P02", "invalid input syntax");
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->answers, 1);
  first->Answer("late");
  EXPECT_EQ(client->answers, 1);
}

TEST_F(Silence, AWrongQueryIsAnAnswerFromTheSecondToo) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  second->Fail("42P01", "relation does not exist");
  EXPECT_EQ(client->outcome, Outcome::kConfig);
}

TEST_F(Silence, AnErrorOfTheSecondHostAloneIsNoAnswer) {
  for (const char* const code : {"40001", "53200", "57014", "25006"}) {
    SCOPED_TRACE(code);
    Open(PoolWorld::Hosts(2));
    const auto client = LookTwice();
    second->Fail(code, "of that host");
    world->Pass(milliseconds(100));
    if (std::string(code) == "57014") {  // an administrator's word counts
      EXPECT_EQ(client->answers, 1);
      continue;
    }
    EXPECT_EQ(client->answers, 0);
    first->Answer("first");
    EXPECT_EQ(client->value, "first");
  }
}

TEST_F(Silence, ASecondThatANeighbourAbortedIsAskedAgain) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 2;
  Open(options);
  std::vector<ClientPointer> all;
  for (int i = 0; i < 4; ++i) all.push_back(Look("k" + std::to_string(i)));
  world->Turn();
  first = Busy(0);
  ASSERT_NE(first, nullptr);
  Busy(1)->AnswerEverything("b");
  ASSERT_EQ(first->unanswered(), 2U);
  Freeze(0);
  world->Pass(kStall);
  second = Busy(1);
  ASSERT_NE(second, nullptr);
  ASSERT_EQ(second->unanswered(), 2U);
  second->Fail("22P02", "invalid input syntax");
  world->Pass(milliseconds(50));
  ASSERT_EQ(second->unanswered(), 1U);
  second->Answer("again");
  int found = 0;
  for (const auto& client : all) {
    EXPECT_EQ(client->answers, 1);
    found += client->value == "again" ? 1 : 0;
  }
  EXPECT_EQ(found, 1);
}

TEST_F(Silence, WhatMayWriteAndScriptsAreNeverAskedTwice) {
  Open(PoolWorld::Hosts(2));
  const auto unknown = PoolWorld::Table("SELECT f('%s')", WriteClass::kMayWrite);
  for (const auto& table : {world->writes, world->script, unknown}) {
    const auto client = Look("k", table);
    world->Turn();
    first = Busy();
    ASSERT_NE(first, nullptr);
    const std::size_t host = first->host();
    world->Pass(seconds(3));
    EXPECT_EQ(Busy(1 - host), nullptr);
    EXPECT_EQ(first->unanswered(), 1U);
    EXPECT_EQ(first->cancels(), 0);
    first->Answer("v");
    EXPECT_EQ(client->value, "v");
    world->Turn();
  }
  EXPECT_EQ(world->pool->counters().stalled, 0U);
}

TEST_F(Silence, TheCatalogueIsAskedElsewhereToo) {
  auto options = PoolWorld::Hosts(2);
  Open(options);
  const auto table = PoolWorld::Table("SELECT f('%s')", WriteClass::kUnknown);
  const auto client = Look("k", table);
  world->Turn();
  fakes::ScriptedUpstream* asked = nullptr;
  for (auto* upstream : world->Open()) {
    if (upstream->oldest() != nullptr &&
        upstream->oldest()->sql.find("pg_proc") != std::string::npos)
      asked = upstream;
  }
  ASSERT_NE(asked, nullptr);
  const std::size_t other = 1 - asked->host();
  Freeze(asked->host());
  world->Pass(kStall);
  for (int i = 0; i < 3; ++i) {
    for (auto* upstream : world->factory.OpenTo(other)) {
      upstream->AnswerEverything(kShared);
    }
    world->Pass(milliseconds(30));
  }
  EXPECT_EQ(table->write_class, WriteClass::kReads);
}

}  // namespace
}  // namespace proxymux::pgsql
