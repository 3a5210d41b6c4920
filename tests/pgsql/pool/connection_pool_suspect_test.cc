// How a pool finds out whether a silent host lives, and what becomes of what it owes.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Suspect : public SilenceWorld {};

TEST_F(Suspect, AHostThatPassesTheTestIsUpAndTheUselessStatementIsCancelled) {
  Open(PoolWorld::Hosts(2));
  const auto client = LookTwice();
  EXPECT_EQ(HealthOf(first->host()), State::kUp);  // its test connection was accepted
  EXPECT_EQ(world->Open().size(), 3U);
  second->Answer("second");
  world->Pass(milliseconds(50));
  EXPECT_EQ(first->cancels(), 1);
  EXPECT_EQ(client->value, "second");
  first->Fail("57014", "canceling statement due to user request");
  EXPECT_TRUE(world->pool->Idle());
  EXPECT_TRUE(world->observer.down.empty());
  EXPECT_TRUE(world->observer.lost.empty());
}

TEST_F(Suspect, WhatIsOwedByASuspectHostAndNotWantedAnyMoreIsDropped) {
  Open(PoolWorld::Hosts(2));
  const auto client = Look("k");
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  Freeze(host);
  world->Pass(kStall);
  EXPECT_EQ(HealthOf(host), State::kSuspect);
  ASSERT_NE(Busy(1 - host), nullptr);
  Busy(1 - host)->Answer("second");
  world->Pass(milliseconds(50));
  EXPECT_EQ(client->value, "second");
  EXPECT_EQ(Busy(host), nullptr);
  EXPECT_EQ(world->observer.lost.size(), 1U);
  TimeOutConnects();
  EXPECT_EQ(HealthOf(host), State::kDown);
  EXPECT_EQ(world->observer.down.size(), 1U);
}

// A cancel request is a connection of its own, and with a frozen host it would last: no cancel
// before the host has shown that it lives.
TEST_F(Suspect, NothingIsCancelledOnAHostThatMayBeFrozen) {
  for (const bool lives : {true, false}) {
    SCOPED_TRACE(lives);
    auto options = PoolWorld::Hosts(2);
    options.settings.connections = 5;
    Open(options, 4);
    for (int i = 0; i < 4; ++i) Look("k" + std::to_string(i));
    world->Turn();
    const auto silent = world->factory.OpenTo(0);
    ASSERT_EQ(silent.size(), 2U);
    for (auto* upstream : silent) ASSERT_EQ(upstream->unanswered(), 1U);
    for (auto* upstream : world->factory.OpenTo(1)) upstream->AnswerEverything("v");
    if (!lives) Freeze(0);
    world->Pass(milliseconds(500));
    silent[1]->Answer("v");  // and no other result from there
    world->Pass(milliseconds(800));
    for (auto* upstream : world->factory.OpenTo(1)) upstream->AnswerEverything("v");
    world->Pass(milliseconds(100));
    for (const ClientPointer& client : clients) EXPECT_EQ(client->value, "v");
    EXPECT_EQ(HealthOf(0), State::kUp);
    EXPECT_EQ(world->factory.cancels(), 0);
    for (int i = 0; i < 50; ++i) world->Pass(milliseconds(10));  // the host is put to the test
    EXPECT_EQ(world->factory.cancels(), lives ? 1 : 0);          // its connection may be gone
    EXPECT_EQ(HealthOf(0), lives ? State::kUp : State::kSuspect);
    EXPECT_EQ(world->observer.lost.size(), lives ? 0U : 1U);
    TearDown();
    world.reset();
    clients.clear();
  }
}

// It is not tested twice in a short time, and need not show again that it lives: all that it has
// may be silent, and would be until query_timeout.
TEST_F(Suspect, WhatIsSilentOnAHostThatPassedItsTestIsCancelled) {
  Open(PoolWorld::Hosts(2));
  LookTwice();
  const std::size_t host = first->host();
  second->Answer("second");
  world->Pass(milliseconds(50));
  ASSERT_EQ(world->factory.cancels(), 1);
  first->Fail("57014", "canceling statement due to user request");
  world->Turn();
  // The connections there are given one lookup each and answer nothing any more.
  for (int i = 0; i < 8; ++i) Look("k" + std::to_string(i));
  world->Turn();
  const auto silent = world->factory.OpenTo(host);
  ASSERT_FALSE(silent.empty());
  for (auto* upstream : silent) ASSERT_GT(upstream->unanswered(), 0U);
  for (int i = 0; i < 60; ++i) {
    world->Pass(milliseconds(20));
    for (auto* upstream : world->factory.OpenTo(1 - host)) upstream->AnswerEverything("v");
  }
  for (const ClientPointer& client : clients) EXPECT_EQ(client->answers, 1);
  EXPECT_EQ(HealthOf(host), State::kUp);
  EXPECT_EQ(world->factory.cancels(), 1 + static_cast<int>(silent.size()));
}

// A server that has just come back may take long over the catalogue, and there is no other one.
TEST_F(Suspect, ASlowQuestionToTheCatalogueDoesNotTakeTheOnlyHostOut) {
  Open(PoolWorld::Hosts(1), 1);
  world->factory.SetMood(0, Mood::kRefuses);
  world->Connection(0).Lose("gone");
  Look("k");
  world->Turn();
  ASSERT_EQ(HealthOf(0), State::kDown);
  world->factory.SetMood(0, Mood::kAccepts);
  for (int i = 0; i < 20; ++i) world->Pass(milliseconds(50));
  ASSERT_EQ(HealthOf(0), State::kTrial);
  const auto client = Look("after", PoolWorld::Table("SELECT f('%s')", WriteClass::kUnknown));
  for (int i = 0; i < 50; ++i) world->Pass(milliseconds(50));
  auto* upstream = Busy();
  ASSERT_NE(upstream, nullptr);
  ASSERT_NE(upstream->oldest()->work, client->ticket);
  upstream->Answer(kShared);
  world->Turn();
  AnswerAll("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(HealthOf(0), State::kUp);
}

// Then it is the statement that takes long, and the host needs no test.
TEST_F(Suspect, WhatIsSilentOnAHostThatAnswersOthersIsCancelled) {
  Open(PoolWorld::Hosts(2), 4);
  const auto slow = Look("slow");
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  for (int i = 0; i < 70; ++i) {
    for (int j = 0; j < 6; ++j) Look("k" + std::to_string(i) + "," + std::to_string(j));
    world->Pass(milliseconds(20));
    for (auto* upstream : world->Open()) {
      if (upstream != first) upstream->AnswerEverything("v");
    }
  }
  EXPECT_EQ(slow->value, "v");
  EXPECT_EQ(HealthOf(host), State::kUp);
  EXPECT_EQ(world->Open().size(), 4U);  // no test connection took the place of one
  EXPECT_TRUE(world->observer.lost.empty());
  EXPECT_EQ(first->cancels(), 1);
}

TEST_F(Suspect, NothingNewGoesToASilentHost) {
  Open(PoolWorld::Hosts(2));
  const auto stuck = Look("stuck");
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  Freeze(host);
  world->Pass(milliseconds(30));
  for (int i = 0; i < 200; ++i) {
    const auto client = Look("k");
    for (int j = 0; j < 2 && client->answers == 0; ++j) {
      world->Pass(milliseconds(10));
      for (auto* upstream : world->factory.OpenTo(1 - host)) upstream->AnswerEverything("v");
    }
    ASSERT_EQ(client->value, "v") << i;
  }
  EXPECT_EQ(stuck->value, "v");
}

TEST_F(Suspect, AServerThatRefusesTheTestLivesAndKeepsWhatItRuns) {
  Open(PoolWorld::Hosts(2));
  const auto client = Look("k", world->writes);
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  Freeze(host);
  world->Pass(kStall);
  for (auto* upstream : world->factory.OpenTo(host)) {
    if (upstream->state() == fakes::ScriptedUpstream::State::kConnecting) {
      upstream->Refuse("53300", "too many clients");
    }
  }
  world->Turn();
  EXPECT_EQ(HealthOf(host), State::kDown);
  EXPECT_EQ(Busy(1 - host), nullptr);
  ASSERT_EQ(Busy(host), first);
  first->Answer("written");
  EXPECT_EQ(client->value, "written");
}

TEST_F(Suspect, WhenAllAreSilentLookupsAreRetryAsSoonAsTheTestsHaveFailed) {
  Open(PoolWorld::Hosts(2));
  Freeze(0);
  Freeze(1);
  std::vector<ClientPointer> all;
  for (int i = 0; i < 8; ++i) all.push_back(Look("k"));
  world->Pass(kStall);
  world->Pass(milliseconds(100));
  for (int i = 0; i < 4; ++i) {
    TimeOutConnects();
    world->Pass(milliseconds(50));
  }
  for (const auto& client : all) {
    EXPECT_EQ(client->answers, 1);
    EXPECT_EQ(client->outcome, Outcome::kRetry);
  }
  EXPECT_EQ(world->observer.down.size(), 2U);
  const auto next = Look("k");
  world->Turn();
  EXPECT_EQ(next->outcome, Outcome::kRetry);
  EXPECT_EQ(next->answers, 1);
}

// Its only connection is given up for one to the other host, not for a test that takes seconds.
TEST_F(Suspect, WithOneConnectionTheOtherHostComesBeforeTheTest) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 1;
  Open(options, 1);
  const std::size_t host = world->Connection(0).host();
  Freeze(host);
  const auto client = Look("k");
  world->Pass(kStall);
  ASSERT_NE(Busy(1 - host), nullptr);
  Busy(1 - host)->Answer("other");
  EXPECT_EQ(client->value, "other");
}

TEST_F(Suspect, LookupTimeoutBoundsAlsoTheOneThatWaitsForItsSecond) {
  Open(PoolWorld::Hosts(2));
  world->reads->settings.lookup_timeout = milliseconds(1500);
  const auto client = LookTwice();
  first->Lose("gone");
  world->Pass(milliseconds(400));
  EXPECT_EQ(client->answers, 0);
  world->Pass(milliseconds(100));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->reason, "no answer within lookup_timeout");
  second->Answer("late");
  EXPECT_EQ(client->answers, 1);
}

TEST_F(Suspect, ASlowTablesUsualTimeIsGivenOnTop) {
  Open(PoolWorld::Hosts(2));
  const auto table = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  for (int i = 0; i < 20; ++i) table->service_time.Record(milliseconds(600));
  const auto client = Look("k", table);
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  world->Pass(milliseconds(1500));
  EXPECT_EQ(Busy(1 - host), nullptr);
  world->Pass(milliseconds(150));
  EXPECT_NE(Busy(1 - host), nullptr);
}

// The lane of a frozen host must not count: with two connections the other one is the quick ones'.
TEST_F(Suspect, ASlowStatementsSecondGetsALaneAtOnce) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 2;
  Open(options);
  const auto table = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  for (int i = 0; i < 20; ++i) table->service_time.Record(milliseconds(100));
  const auto slow = Look("slow", table);
  world->Turn();
  first = Busy();
  ASSERT_NE(first, nullptr);
  const std::size_t host = first->host();
  Freeze(host);
  for (int i = 0; i < 60; ++i) {  // the others go on
    Look("k");
    world->Pass(milliseconds(20));
    for (auto* upstream : world->factory.OpenTo(1 - host)) upstream->AnswerEverything("v");
  }
  world->Pass(milliseconds(50));
  for (auto* upstream : world->factory.OpenTo(1 - host)) upstream->AnswerEverything("v");
  EXPECT_EQ(slow->value, "v");
}

TEST_F(Suspect, ZeroTurnsItOff) {
  auto options = PoolWorld::Hosts(2);
  options.settings.stall_limit = milliseconds(0);
  Open(options);
  const auto client = Look("k");
  world->Turn();
  first = Busy();
  const std::size_t host = first->host();
  world->Pass(seconds(9));
  EXPECT_EQ(Busy(1 - host), nullptr);
  EXPECT_EQ(client->answers, 0);
}

}  // namespace
}  // namespace proxymux::pgsql
