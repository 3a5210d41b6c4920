// New connections that lead nowhere beside older ones that answer: behind one name there may be a
// server that is full, or one of several that has gone. The older ones go on as before, and new
// ones are tried less and less often.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Newcomers : public PoolOutage {
 protected:
  Newcomers() : world_(Two()) {
    world_.OpenAll();
    old_ = world_.Connection(0).number();
    const auto first = Look();
    for (int i = 0; i < 10 && first->answers == 0; ++i) {
      world_.Turn();
      Serve();
    }
    EXPECT_EQ(first->value, "v");
  }

  static PoolWorld::Options Two() {
    PoolWorld::Options options = Options();
    options.settings.connections = 2;
    return options;
  }
  ClientPointer Look() {
    clients_.push_back(world_.Look("k" + std::to_string(clients_.size()), tables_[0]));
    return clients_.back();
  }
  static std::string Said(const std::string& sql) {
    if (AsksStamp(sql)) return kStamp;
    return AsksEffects(sql) ? kShared : "v";
  }
  // The old connection answers one statement; new ones are lost with the first that they get.
  void Serve() {
    for (auto* upstream : world_.Open()) {
      if (upstream->answerable() == 0) continue;
      if (upstream->number() == old_ || all_answer_) {
        upstream->Answer(Said(upstream->oldest()->sql));
      } else {
        upstream->Lose("server login has been failing", "08P01");
      }
    }
    world_.Turn();
  }
  // Lookups of both tables for so long, more than one connection may have.
  void Ask(Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds(2)) {
      while (world_.pool->Gauges().queued + world_.pool->Gauges().in_flight < 4) {
        std::swap(tables_[0], tables_[1]);
        Look();
        world_.Turn();
      }
      Serve();
      world_.Pass(milliseconds(2));
    }
  }
  void Finish() {
    for (int i = 0; i < 500 && !world_.pool->Quiet(); ++i) {
      Serve();
      world_.Pass(milliseconds(2));
    }
    for (const auto& client : clients_) {
      ASSERT_EQ(client->value, "v") << client->reason;
      ASSERT_EQ(client->outages, 0);
    }
  }
  fakes::ScriptedUpstream* Old() {
    for (auto* upstream : world_.Open()) {
      if (upstream->number() == old_) return upstream;
    }
    return nullptr;
  }

  std::shared_ptr<TableBinding> tables_[2] = {
      PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kUnknown),
      PoolWorld::Table("SELECT g(k) FROM t WHERE k = '%s'", WriteClass::kUnknown)};
  PoolWorld world_;
  int old_ = 0;
  bool all_answer_ = false;  // new ones as well
  std::vector<ClientPointer> clients_;
};

TEST_F(Newcomers, ThatAreLostKeepNobodyFromAskingTheOthersWhatHasChanged) {
  Ask(seconds(1));
  ASSERT_NE(Old(), nullptr);
  const auto stamps = [this] {
    const auto& texts = Old()->texts();
    return std::count_if(texts.begin(), texts.end(), AsksStamp);
  };
  const auto before = stamps();
  Ask(seconds(10));
  ASSERT_NE(Old(), nullptr) << "the only one that answers was closed";
  EXPECT_GE(stamps() - before, 15);
  Finish();
}

TEST_F(Newcomers, ThatAreLostAreTriedLessAndLessOften) {
  Ask(seconds(5));
  const int before = world_.factory.made();
  Ask(seconds(8));
  // Every 800 ms at most, and some sooner.
  EXPECT_LE(world_.factory.made() - before, 14);
  EXPECT_GE(world_.factory.made() - before, 9);
  EXPECT_LE(world_.observer.down.size(), 2U);
  EXPECT_TRUE(world_.observer.up.empty());
  Finish();
}

TEST_F(Newcomers, ThatAreRefusedAreTriedLessAndLessOften) {
  world_.factory.SetMood(0, Mood::kRefuses);
  Ask(seconds(5));
  EXPECT_LE(world_.factory.made(), 16);
  Finish();
}

// It is back: what comes now is answered, and the host is in full use.
TEST_F(Newcomers, ThatAreAnsweredAreUsed) {
  Ask(seconds(5));
  all_answer_ = true;
  Ask(seconds(2));
  EXPECT_EQ(world_.observer.up.size(), 1U);
  EXPECT_EQ(world_.Open().size(), 2U);
  Finish();
}

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

// Older connections answer all, whatever becomes of new ones: that is no outage.
TEST_F(Newcomers, ThatAreLostMakeNoOutageOfWhatIsAnswered) {
  Ask(seconds(1));
  for (auto* upstream : world_.Open()) upstream->Lose("gone", "57P01");
  world_.factory.SetMood(0, Mood::kRefuses);
  world_.Turn();
  ASSERT_EQ(world_.observer.outages.size(), 1U);
  world_.Pass(milliseconds(100));
  world_.factory.SetMood(0, Mood::kAccepts);
  old_ = world_.factory.made() + 1;
  while (world_.Open().empty()) world_.Pass(milliseconds(10));
  old_ = world_.Connection(0).number();
  world_.Connection(0).Answer(kStamp);
  Ask(seconds(3));
  EXPECT_EQ(world_.observer.outages_over.size(), 1U);
  EXPECT_EQ(world_.observer.outages.size(), 1U);
  for (int i = 0; i < 500 && !world_.pool->Quiet(); ++i) {
    Serve();
    world_.Pass(milliseconds(2));
  }
  for (const auto& client : clients_) EXPECT_EQ(client->value, "v") << client->reason;
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
