// Connections that end soon, or are never made, beside others: what that says of their host, how
// soon the next is tried, and that nothing that works is given up for them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Without a question before them: the new connection is closed, or its lookup goes elsewhere.
// Either way the host is not left in a trial that nobody ends.
TEST(NewcomersThatEnd, LeaveTheHostToBeTriedAgain) {
  for (const bool silent : {false, true}) {
    SCOPED_TRACE(silent);
    PoolWorld::Options options = PoolWorld::Connections(2);
    PoolWorld world(options);
    world.OpenAll();
    std::vector<ClientPointer> clients;
    const auto two = [&] {
      for (int i = 0; i < 2; ++i) clients.push_back(world.Look("k"));
      world.Turn();
    };
    const auto answer = [&] {
      for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
      world.Turn();
    };
    clients.push_back(world.Look("k"));
    world.Turn();
    answer();
    world.factory.SetMood(0, Mood::kRefuses);
    two();
    answer();
    world.factory.SetMood(0, Mood::kAccepts);
    two();
    world.Pass(seconds(1));
    ASSERT_EQ(world.Open().size(), 2U);
    auto& newcomer = world.Connection(1);
    if (silent) {
      newcomer.Lose("gone", "57P01");
    } else {
      answer();
    }
    for (int i = 0; i < 100; ++i) {
      two();
      world.Pass(milliseconds(20));
      answer();
    }
    EXPECT_EQ(world.Open().size(), 2U);
    EXPECT_EQ(world.pool->hosts()[0].health.state(), HostHealth::State::kUp);
    for (const auto& client : clients) EXPECT_EQ(client->value, "v") << client->reason;
  }
}

// Attempts that hung while the host was away end later; what came after them shows what it is like.
TEST_F(PoolOutage, WhatHungUntilTheHostWasBackTakesNothingFromIt) {
  PoolWorld::Options options = Options();
  options.settings.connections = 4;
  PoolWorld world(options);
  std::vector<ClientPointer> clients;
  int first_accepted = 0;
  const auto serve = [&](int times) {
    for (int i = 0; i < times; ++i) {
      clients.push_back(world.Look("k" + std::to_string(i)));
      world.Pass(milliseconds(10));
      for (auto* upstream : world.Open()) {
        using State = fakes::ScriptedUpstream::State;
        if (upstream->state() == State::kConnecting && upstream->number() >= first_accepted) {
          upstream->Accept();
        }
        while (upstream->answerable() > 0) {
          upstream->Answer(AsksStamp(upstream->oldest()->sql) ? kStamp : "v");
        }
      }
    }
  };
  world.OpenAll();
  serve(3);
  TakeAway(&world);
  clients.push_back(world.Look("k"));
  world.Pass(milliseconds(100));
  world.factory.SetMood(0, Mood::kSilent);
  for (int i = 0; i < 15; ++i) {
    clients.push_back(world.Look("k" + std::to_string(i)));
    world.Pass(milliseconds(30));
  }
  ASSERT_GT(world.pool->Gauges().connecting, 1U);
  first_accepted = world.factory.made();
  serve(100);
  for (const auto& client : clients) EXPECT_EQ(client->value, "v") << client->reason;
  EXPECT_EQ(world.pool->Gauges().connecting, 0U) << "they keep no room for themselves";
  EXPECT_EQ(world.pool->hosts()[0].health.state(), HostHealth::State::kUp);
}

// A table's own connection is not given up for one that cannot be made.
TEST(NewcomersThatCannotBeMade, CostNoTableItsOwnConnection) {
  for (const Mood mood : {Mood::kRefuses, Mood::kSilent}) {
    PoolWorld world(PoolWorld::Connections(2));
    const auto own = PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kReads);
    own->session = SessionUse::kOwnSession;
    world.OpenAll();
    const auto first = world.Look("k", own);
    world.Turn();
    ASSERT_NE(world.Busy(), nullptr);
    const int owned = world.Busy()->number();
    world.Busy()->AnswerEverything("v");
    world.Turn();
    world.factory.SetMood(0, mood);
    for (auto* upstream : world.Open()) {
      if (upstream->number() != owned) upstream->Lose("gone", "57P01");
    }
    world.Turn();
    const auto shared = world.Look("k");
    for (int i = 0; i < 50; ++i) world.Pass(milliseconds(10));
    ASSERT_EQ(world.Connection(0).number(), owned) << "the only one that works";
    const auto second = world.Look("k", own);
    world.Turn();
    ASSERT_NE(world.Busy(), nullptr);
    world.Busy()->AnswerEverything("v");
    EXPECT_EQ(second->value, "v");
    world.factory.SetMood(0, Mood::kAccepts);
    for (int i = 0; i < 100 && shared->answers == 0; ++i) {
      world.Pass(milliseconds(10));
      for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    }
    EXPECT_EQ(shared->value, "v") << shared->reason;
  }
}

// They are lost before there is anything to send: that is no reason to make the next at once.
TEST(NewcomersThatAreLostAtOnce, AreTriedLessAndLessOften) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  ASSERT_EQ(world.Connection(0).unanswered(), 2U);
  world.Connection(1).AnswerEverything("v");
  const int old = world.Connection(0).number();
  const int before = world.factory.made();
  world.Connection(1).Lose("gone", "57P01");
  for (int i = 0; i < 100; ++i) {
    world.Pass(milliseconds(1));
    for (auto* upstream : world.Open()) {
      if (upstream->number() != old) upstream->Lose("gone", "");
    }
  }
  EXPECT_GT(world.factory.made(), before);
  EXPECT_LE(world.factory.made() - before, 4);
  world.Connection(0).AnswerEverything("v");
  for (const auto& client : clients) EXPECT_EQ(client->value, "v") << client->reason;
}

// What ends their sessions is no failure of the host, which goes on; each is an attempt all the
// same.
TEST(NewcomersWhoseSessionsAreEnded, AreTriedLessAndLessOften) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  const int old = world.Connection(0).number();
  std::vector<ClientPointer> clients;
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (int k = 0; k < 2; ++k) clients.push_back(world.Look("k"));
      world.Pass(milliseconds(10));
      for (auto* upstream : world.Open()) {
        if (upstream->number() != old) upstream->Lose("idle session", "57P05");
      }
      world.Turn();
      world.Connection(0).AnswerEverything("v");
    }
  };
  world.factory.SetMood(0, Mood::kRefuses);
  world.Connection(1).Lose("gone", "57P01");
  ask(10);
  world.factory.SetMood(0, Mood::kAccepts);
  const int before = world.factory.made();
  ask(500);
  EXPECT_GE(world.factory.made() - before, 6);
  EXPECT_LE(world.factory.made() - before, 14);
  world.Connection(0).AnswerEverything("v");
}

// A packet was lost: what was begun later has long been answered.
TEST(AttemptsThatALaterOneHasOvertaken, SayNothingOfTheHost) {
  PoolWorld world(PoolWorld::Connections(3));
  world.OpenAll();
  world.factory.SetMood(0, Mood::kSilent);
  for (auto* upstream : world.Open()) upstream->Lose("idle session", "57P05");
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  ASSERT_EQ(world.Open().size(), 3U);
  world.Connection(2).Accept();
  world.Turn();
  world.Connection(2).AnswerEverything("v");
  world.Turn();
  for (int i = 0; i < 2; ++i) {
    world.Connection(0).Refuse("", "timeout expired");
    world.Turn();
    EXPECT_FALSE(world.pool->hosts()[0].trust.unproven());
    EXPECT_TRUE(world.observer.down.empty());
  }
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  world.factory.SetMood(0, Mood::kAccepts);
  for (int i = 0; i < 10; ++i) {
    world.Pass(milliseconds(10));
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v") << client->reason;
}

// What a statement left behind says nothing of the server: the others go on at their full depth.
TEST(GivenUpConnections, SpeakAgainstNoOther) {
  PoolWorld::Options options = PoolWorld::Connections(2);
  PoolWorld world(options);
  world.OpenAll();
  std::vector<ClientPointer> clients;
  const auto look = [&] {
    clients.push_back(world.Look("k"));
    world.Turn();
  };
  for (int i = 0; i < 2; ++i) look();
  ASSERT_EQ(world.Open().size(), 2U);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  world.Pass(milliseconds(5));
  for (int i = 0; i < 2; ++i) look();
  world.Connection(0).AnswerEverything("v");
  world.factory.SetMood(0, Mood::kSilent);
  world.Connection(0).GiveUp("the query left a transaction open");
  EXPECT_FALSE(world.pool->hosts()[0].trust.unproven());
  world.Pass(milliseconds(5));
  for (int i = 0; i < 4; ++i) look();
  EXPECT_GT(world.Connection(0).unanswered(), 1U);
  for (int i = 0; i < 5; ++i) {
    world.Connection(0).AnswerEverything("v");
    world.Pass(milliseconds(2));
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
