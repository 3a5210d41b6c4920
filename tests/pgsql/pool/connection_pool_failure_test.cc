// What a pool does when statements and connections fail.
#include <gtest/gtest.h>

#include <functional>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolFailure, TheNeighboursOfABadKeyRunAgainInTheirOrderAndItIsNotHeldAgainstThem) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  const auto first = world.Look("first");
  const auto bad = world.Look("bad");
  const auto second = world.Look("second");
  const auto third = world.Look("third");
  world.Turn();
  auto& connection = world.Connection(0);
  connection.Answer("v");
  connection.Fail("22P02", "invalid input syntax for type integer");
  EXPECT_EQ(bad->outcome, Outcome::kRetry);
  EXPECT_EQ(bad->reason, "a: invalid input syntax for type integer (SQLSTATE 22P02)");
  EXPECT_EQ(second->answers, 0);
  world.Turn();
  ASSERT_EQ(connection.unanswered(), 2U);
  EXPECT_NE(connection.oldest()->sql.find("second"), std::string::npos);
  connection.AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(third->value, "v");
  EXPECT_EQ(world.pool->hosts()[0].counts.failures, 0U);
}

TEST(PoolFailure, WhatAFatalErrorEndedTakesNothingMore) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  const auto first = world.Look("first");
  const auto second = world.Look("second");
  world.Turn();
  // The server closes the connection later than it says so.
  world.Connection(0).Fail("08P01", "server conn crashed?", /*fatal=*/true);
  world.Turn();
  EXPECT_EQ(world.factory.made(), 2);
  world.Connection(0).AnswerEverything("v");
  world.Turn();
  world.Connection(0).AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  ASSERT_EQ(world.observer.lost.size(), 1U);
  EXPECT_EQ(world.observer.lost[0], "a: server conn crashed? (1)");
}

TEST(PoolFailure, AbortedAgainAndAgainALookupStillGetsItsAnswer) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  auto& connection = world.Connection(0);
  std::vector<ClientPointer> bad;
  for (int i = 0; i < 10; ++i) bad.push_back(world.Look("bad" + std::to_string(i)));
  const auto good = world.Look("good");
  for (int i = 0; i < 10; ++i) {
    world.Turn();
    ASSERT_EQ(connection.unanswered(), 11U - i);
    EXPECT_NE(connection.oldest()->sql.find("bad" + std::to_string(i)), std::string::npos)
        << connection.oldest()->sql;
    connection.Fail("P0001", "no such user");
    EXPECT_EQ(bad[i]->outcome, Outcome::kRetry);
  }
  world.Turn();
  connection.Answer("v");
  EXPECT_EQ(good->value, "v");
}

TEST(PoolFailure, AWrongQueryIsAConfigurationErrorOnceAndForAll) {
  PoolWorld world;
  const auto client = world.Look("k");
  world.Turn();
  world.Connection(0).Fail("42P01", "relation \"t\" does not exist");
  EXPECT_EQ(client->outcome, Outcome::kConfig);
  EXPECT_EQ(client->reason, "a: relation \"t\" does not exist (SQLSTATE 42P01)");
  EXPECT_EQ(world.pool->counters().statements, 1U);
}

// A mirror that is being restored lacks the table that the other one has.
TEST(PoolFailure, AQueryThatOneMirrorRefusesIsAskedOfTheOther) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  for (const bool both : {false, true}) {
    const auto client = world.Look("k");
    world.Turn();
    fakes::ScriptedUpstream* const first = world.Busy();
    ASSERT_NE(first, nullptr);
    first->Fail("42P01", "relation \"alias\" does not exist");
    EXPECT_EQ(client->answers, 0);
    world.Turn();
    fakes::ScriptedUpstream* const second = world.Busy();
    ASSERT_NE(second, nullptr);
    EXPECT_NE(second->host(), first->host());
    if (both) {
      second->Fail("42P01", "relation \"alias\" does not exist");
      EXPECT_EQ(client->outcome, Outcome::kConfig);
    } else {
      second->Answer("v");
      EXPECT_EQ(client->value, "v");
    }
  }
  EXPECT_TRUE(world.observer.down.empty());
}

TEST(PoolFailure, ADeadlockIsRunAgainElsewhereFirst) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  fakes::ScriptedUpstream* first = nullptr;
  for (auto* upstream : world.Open()) {
    if (upstream->unanswered() > 0) first = upstream;
  }
  ASSERT_NE(first, nullptr);
  first->Fail("40P01", "deadlock detected");
  world.Turn();
  EXPECT_EQ(first->unanswered(), 0U);
  fakes::ScriptedUpstream* second = nullptr;
  for (auto* upstream : world.Open()) {
    if (upstream->unanswered() > 0) second = upstream;
  }
  ASSERT_NE(second, nullptr);
  EXPECT_NE(second->host(), first->host());
  second->Answer("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.pool->counters().reruns, 1U);
}

// All connections went to the preferred host; the work that it failed must not wait for ever for a
// connection to the other one.
TEST(PoolFailure, ALookupThatNeedsAHostWithoutAConnectionGetsOne) {
  PoolWorld::Options options;
  options.hosts = {HostKind::kUnixSocket, HostKind::kTcp};
  PoolWorld world(options);
  world.Answered(1);  // from here on it is known to be there
  world.OpenAll();
  ASSERT_EQ(world.factory.OpenTo(0).size(), 4U);
  const auto client = world.Look("k");
  world.Turn();
  world.Connection(0).Fail("53100", "disk full");
  world.Pass(milliseconds(50));
  ASSERT_EQ(world.factory.OpenTo(1).size(), 1U);
  EXPECT_EQ(world.Open().size(), 4U);
  EXPECT_EQ(world.factory.most_open(), 4U);
  world.factory.OpenTo(1)[0]->Answer("from b");
  EXPECT_EQ(client->value, "from b");
}

TEST(PoolFailure, AnIdleConnectionMakesRoomAtOnceForTheHostThatIsNeeded) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 1;
  PoolWorld world(options);
  const auto client = world.Look("k");
  world.Turn();
  const std::size_t host = world.Connection(0).host();
  world.Connection(0).Fail("40P01", "deadlock detected");
  world.loop.EndTurn();
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_EQ(world.Connection(0).host(), 1 - host);
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolFailure, WithAllConnectionsBusyOneIsLetRunEmptyForTheHostThatIsNeeded) {
  PoolWorld::Options options;
  options.hosts = {HostKind::kUnixSocket, HostKind::kTcp};
  options.settings.connections = 1;
  PoolWorld world(options);
  world.OpenAll();
  const auto moves = world.Look("moves", world.writes);
  const auto before = world.Look("before", world.writes);
  world.Turn();
  world.Connection(0).Fail("53200", "out of memory");
  world.Turn();
  const auto after = world.Look("after");
  world.Turn();
  ASSERT_EQ(world.Connection(0).unanswered(), 1U);  // it takes nothing new
  world.Connection(0).Answer("v");
  world.Turn();
  ASSERT_EQ(world.factory.OpenTo(1).size(), 1U);
  EXPECT_EQ(world.factory.most_open(), 1U);
  world.Connection(0).AnswerEverything("b");
  EXPECT_EQ(before->value, "v");
  EXPECT_EQ(moves->value, "b");
  EXPECT_EQ(after->value, "b");
}

TEST(PoolFailure, ALostConnectionsWorkRunsOnTheOtherHostFirst) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  world.factory.SetMood(0, Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(0)) upstream->Lose("server closed the connection");
  world.Turn();
  EXPECT_EQ(world.factory.OpenTo(0).size(), 0U);
  for (int i = 0; i < 3; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.observer.lost.size(), 2U);
  EXPECT_EQ(world.observer.lost[0], "a: server closed the connection (2)");
  EXPECT_EQ(world.pool->counters().connections_lost, 2U);
  EXPECT_EQ(world.observer.down, std::vector<std::string>{"a"});
  EXPECT_LE(world.factory.most_open(), 4U);
}

// Each connection of a server that goes away may be the next to end: without a word, with the
// server's word (57P01), or with libpq's.
TEST(PoolFailure, OnConnectionsThatEndOneAfterTheOtherALookupLosesOneTryOnly) {
  const std::vector<std::function<void(fakes::ScriptedUpstream&)>> endings = {
      [](auto& upstream) { upstream.Lose("server closed the connection"); },
      [](auto& upstream) { upstream.Fail("57P01", "terminating connection", /*fatal=*/true); },
      [](auto& upstream) { upstream.Fail("", "server closed the connection", /*fatal=*/true); },
  };
  for (std::size_t ending = 0; ending < endings.size(); ++ending) {
    PoolWorld world(PoolWorld::Hosts(1));
    world.Answered(4);
    ASSERT_EQ(world.Open().size(), 4U);
    const auto client = world.Look("k");
    world.Turn();
    for (int i = 0; i < 4; ++i) {
      for (auto* upstream : world.Open()) {
        if (upstream->unanswered() == 0) continue;
        endings[ending](*upstream);
        break;
      }
      world.Turn();
      ASSERT_EQ(client->answers, 0) << ending << ": " << i << client->reason;
    }
    world.Pass(milliseconds(20));
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    EXPECT_EQ(client->value, "v") << ending;
  }
}

// How often each host saw a lookup that ends every connection that it is sent on.
std::vector<int> SendPoison(PoolWorld& world) {
  const auto client = world.Look("poison");
  std::vector<int> sent(2);
  for (int i = 0; i < 20 && client->answers == 0; ++i) {
    world.Pass(milliseconds(20));
    for (auto* upstream : world.Open()) {
      if (upstream->unanswered() == 0) continue;
      ++sent[upstream->host()];
      upstream->Lose("terminated by signal 11");
      break;
    }
  }
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_NE(client->reason.find("signal 11"), std::string::npos);
  EXPECT_LE(world.factory.most_open(), 4U);
  return sent;
}

TEST(PoolFailure, ALookupThatKillsEveryConnectionIsSentTwiceToEachHostAndNoMore) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  EXPECT_EQ(SendPoison(world), (std::vector<int>{2, 2}));
  EXPECT_TRUE(world.observer.down.empty());
}

// A host that ends a connection without ever having answered on it counts as down.
TEST(PoolFailure, OnConnectionsThatNeverAnsweredItIsSentOnceToEachHost) {
  PoolWorld world(PoolWorld::Hosts(2));
  EXPECT_EQ(SendPoison(world), (std::vector<int>{1, 1}));
  EXPECT_EQ(world.observer.down.size(), 2U);
}

TEST(PoolFailure, AConnectionThatTakesNoStatementsIsReplaced) {
  PoolWorld world;
  world.OpenAll();
  for (auto* upstream : world.Open()) upstream->BreakSending();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(world.Look("k"));
  for (int i = 0; i < 10; ++i) {
    world.Pass(milliseconds(20));
    for (auto* upstream : world.Open()) {
      if (upstream->number() >= 4) upstream->AnswerEverything("v");
    }
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.factory.most_open(), 4U);
}

}  // namespace
}  // namespace proxymux::pgsql
