// What a pool asks of a new connection, after an outage, before it trusts that with lookups.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A pooler or a load balancer may accept a connection and lose it again, as often as it is tried.
TEST_F(PoolOutage, NoLookupIsSentBeforeTheHostHasAnswered) {
  PoolWorld world(Options());
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  for (auto* upstream : world.Open()) upstream->Lose("the server behind has gone", "08P01");
  world.Turn();
  int lost = 0;
  for (int i = 0; i < 300; ++i) {
    world.Pass(milliseconds(10));
    if (world.Open().empty()) continue;
    ASSERT_TRUE(IsQuestion(world.Connection(0))) << i;
    ASSERT_TRUE(Texts(world.Connection(0)).empty());
    world.Connection(0).Lose("the server behind has gone", "08P01");
    ++lost;
  }
  EXPECT_GT(lost, 40);
  EXPECT_EQ(client->answers, 0);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  EXPECT_EQ(Texts(world.Connection(0)).size(), 1U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

// A pooler whose server shuts down answers on some connections still, and ends the new ones.
TEST_F(PoolOutage, WhatWasThereBeforeALossProvesNothingOfWhatCameAfterIt) {
  auto options = Options();
  options.settings.connections = 2;
  PoolWorld world(options);
  world.OpenAll();
  const auto first = world.Look("first");
  const auto second = world.Look("second");
  world.Turn();
  ASSERT_EQ(world.Open().size(), 2U);
  auto* const old = &world.Connection(1);
  ASSERT_EQ(world.Connection(0).unanswered(), 1U);
  ASSERT_EQ(old->unanswered(), 1U);
  world.Pass(milliseconds(1));
  world.Connection(0).Lose("server conn crashed?", "08P01");
  old->AnswerEverything("v");
  world.Turn();
  ASSERT_EQ(old->unanswered(), 1U) << "the other one goes there";
  const auto third = world.Look("third");
  world.Pass(milliseconds(1));
  ASSERT_EQ(world.Open().size(), 2U);
  auto& fresh = world.Connection(old == &world.Connection(0) ? 1 : 0);
  ASSERT_TRUE(IsQuestion(fresh));
  fresh.Lose("pgbouncer cannot connect to server", "08P01");
  old->AnswerEverything("v");
  world.Turn();
  old->AnswerEverything("v");
  for (const auto& client : {first, second, third}) EXPECT_EQ(client->value, "v");
}

class HangingQuestions : public PoolOutage {
 protected:
  static PoolWorld::Options Patient(int connections) {
    PoolWorld::Options options = Options();
    options.settings.connections = connections;
    options.settings.stall_limit = seconds(1);
    return options;
  }
  // The host was away and is back, and has been asked what is to prove it.
  static ClientPointer LookUntilAsked(PoolWorld* world) {
    world->OpenAll();
    TakeAway(world);
    auto client = world->Look("k");
    world->Pass(milliseconds(100));
    BringBack(world);
    for (int i = 0; i < 20 && world->Open().empty(); ++i) world->Pass(milliseconds(10));
    return client;
  }
};

// It may be the session that hangs, or the question that takes so long: it is asked on one more
// connection after the other, and the first are kept for a while.
TEST_F(HangingQuestions, AreAskedOnOtherConnectionsToo) {
  for (const int answered : {0, 3}) {
    SCOPED_TRACE(answered);
    PoolWorld world(Patient(4));
    const auto client = LookUntilAsked(&world);
    for (std::size_t asked = 1; asked <= 4; ++asked) {
      ASSERT_EQ(world.Open().size(), asked);
      for (auto* upstream : world.Open()) ASSERT_TRUE(IsQuestion(*upstream));
      if (asked == 4) break;
      int passed = 0;
      for (; world.Open().size() == asked && passed < 200; ++passed) world.Pass(milliseconds(10));
      EXPECT_GE(passed, 99);
      EXPECT_LE(passed, 105);
    }
    auto& proof = world.Connection(static_cast<std::size_t>(answered));
    proof.Answer(kStamp);
    world.Turn();
    ASSERT_EQ(Texts(proof).size(), 1U);
    proof.Answer("v");
    EXPECT_EQ(client->value, "v") << client->reason;
  }
}

// With no more room the oldest makes room, and is waited for longer each time.
TEST_F(HangingQuestions, AreWaitedForLongerWhereThereIsNoRoom) {
  auto options = Patient(1);
  options.settings.outage_wait = seconds(30);
  PoolWorld world(options);
  const auto client = LookUntilAsked(&world);
  for (const int longest : {1, 2, 4}) {
    const int number = world.Connection(0).number();
    ASSERT_TRUE(IsQuestion(world.Connection(0)));
    int passed = 0;
    for (; world.Connection(0).number() == number; ++passed) {
      ASSERT_LT(passed, 1000);
      world.Pass(milliseconds(10));
    }
    EXPECT_GE(passed, longest * 100 - 1);
    EXPECT_LE(passed, longest * 100 + 20);
  }
  AnswerQuestion(&world);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v") << client->reason;
}

// The same beside a connection from before, which answers: the one that hangs is left.
TEST_F(HangingQuestions, AreWaitedForLongerBesideAConnectionThatAnswers) {
  PoolWorld world(Patient(2));
  world.OpenAll();
  world.Pass(milliseconds(1));
  world.Connection(0).Lose("server conn crashed?", "08P01");
  auto* const old = world.Open().front();
  const auto fresh = [&]() -> fakes::ScriptedUpstream* {
    for (auto* upstream : world.Open()) {
      if (upstream != old) return upstream;
    }
    return nullptr;
  };
  const auto pass = [&] {
    world.Look("k");
    world.Look("l");
    world.Pass(milliseconds(10));
    while (old->answerable() > 0) old->Answer("v");
  };
  for (const int longest : {1, 2, 4}) {
    for (int i = 0; fresh() == nullptr; ++i) {
      ASSERT_LT(i, 100);
      pass();
    }
    const int number = fresh()->number();
    ASSERT_TRUE(IsQuestion(*fresh()));
    int passed = 0;
    for (; fresh() != nullptr && fresh()->number() == number; ++passed) {
      ASSERT_LT(passed, 1000);
      pass();
    }
    EXPECT_GE(passed, longest * 100 - 1);
    EXPECT_LE(passed, longest * 100 + 20);
  }
}

// A pooler or a load balancer that takes connections and says nothing is no host that is back.
TEST_F(HangingQuestions, HoldNobodyUpOnceTheWindowIsOver) {
  PoolWorld world(Patient(4));
  const auto first = LookUntilAsked(&world);
  int passed = 0;
  for (; first->answers == 0 && passed < 1000; ++passed) world.Pass(milliseconds(10));
  EXPECT_EQ(first->outcome, Outcome::kRetry);
  EXPECT_GE(passed, 450);
  EXPECT_LE(passed, 501);
  for (int i = 0; i < 100; ++i) {
    const auto later = world.Look("later" + std::to_string(i));
    world.Turn();
    ASSERT_EQ(later->answers, 1) << i;
    ASSERT_EQ(later->outcome, Outcome::kRetry);
    world.Pass(milliseconds(100));
  }
  // Nobody waits, and it is still asked, on new connections too.
  for (auto* upstream : world.Open()) {
    ASSERT_TRUE(IsQuestion(*upstream));
    upstream->Lose("gone");
  }
  for (int i = 0; i < 100 && world.Open().empty(); ++i) world.Pass(milliseconds(10));
  AnswerQuestion(&world);
  const auto served = world.Look("served");
  world.Turn();
  ASSERT_NE(world.Busy(), nullptr);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(served->value, "v") << served->reason;
}

TEST_F(PoolOutage, AQuestionThatHangsIsGivenUpAndNoTablesFault) {
  PoolWorld::Options options = Options();
  options.settings.stall_limit = {};
  options.settings.outage_wait = seconds(60);
  PoolWorld world(options);
  world.reads->settings.query_timeout = seconds(40);
  world.reads->settings.lookup_timeout = seconds(60);
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(milliseconds(100));
  BringBack(&world);
  world.Pass(milliseconds(60));
  ASSERT_TRUE(IsQuestion(world.Connection(0)));
  for (int i = 0; i < 99; ++i) world.Pass(milliseconds(100));
  EXPECT_EQ(world.factory.cancels(), 0);
  for (int i = 0; i < 2; ++i) world.Pass(milliseconds(100));
  EXPECT_EQ(world.factory.cancels(), 1);
  EXPECT_EQ(world.pool->counters().statement_timeouts, 0U);
  EXPECT_TRUE(world.observer.timeouts.empty());
  world.Connection(0).Fail("57014", "canceling statement due to user request");
  world.Turn();
  ASSERT_NE(world.Busy(), nullptr) << "the server has answered";
  world.Busy()->AnswerEverything("v");
  EXPECT_EQ(client->value, "v") << client->reason;
}

// One connection of several is lost: the others have proved that they answer, and are asked
// nothing.
TEST_F(PoolOutage, AHostIsNotAskedAgainAndAgain) {
  PoolWorld::Options options = Options();
  options.settings.connections = 2;
  options.settings.pipeline_depth = 2;
  options.settings.stall_limit = {};
  PoolWorld world(options);
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(world.Look("k" + std::to_string(i)));
  world.Turn();
  ASSERT_EQ(world.Open().size(), 2U);
  world.factory.SetMood(0, Mood::kSilent);
  world.Connection(1).Lose("gone");
  for (int i = 0; i < 50; ++i) {
    clients.push_back(world.Look("later" + std::to_string(i)));
    world.Pass(milliseconds(1));
  }
  EXPECT_LE(world.Connection(0).unanswered(), 2U);
  for (const auto& client : clients) world.Abandon(client);
}

// A pooler takes what is sent and says nothing while its server is away. Connections are given up
// so that a new one can show what the host is like: the lookups on them have had no try.
TEST_F(PoolOutage, WhatIsGivenUpToTestTheHostIsNotCounted) {
  PoolWorld::Options options = Options();
  options.settings.connections = 2;
  options.settings.stall_limit = seconds(1);
  PoolWorld world(options);
  world.OpenAll();
  const auto one = world.Look("a");
  const auto two = world.Look("b");
  world.Turn();
  for (auto* upstream : world.Open()) upstream->Lose("gone", "57P01");
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  for (int i = 0; i < 12; ++i) world.Pass(milliseconds(100));
  // The test is refused: the host is down, and lives.
  for (auto* upstream : world.Open()) {
    if (upstream->state() == fakes::ScriptedUpstream::State::kReady && upstream->number() > 3) {
      upstream->Lose("server login has been failing", "08P01");
    }
  }
  for (int i = 0; i < 5; ++i) world.Pass(milliseconds(100));
  EXPECT_EQ(one->answers + two->answers, 0) << one->reason << two->reason;
  for (int i = 0; i < 100 && one->answers + two->answers < 2; ++i) {
    for (auto* upstream : world.Open()) {
      while (upstream->answerable() > 0) {
        upstream->Answer(IsQuestion(*upstream) ? kStamp : "v");
      }
    }
    world.Pass(milliseconds(50));
  }
  EXPECT_EQ(one->value, "v");
  EXPECT_EQ(two->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
