// How a pool whose lookups wait finds out that a host is back: attempts to connect, and a question
// of its own before it trusts one.
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

TEST_F(PoolOutage, TheHostIsTriedEvery50Milliseconds) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  const int before = world.factory.made();
  for (int i = 0; i < 400; ++i) world.Pass(milliseconds(10));
  EXPECT_GE(world.factory.made() - before, 4000 / 61);
  EXPECT_LE(world.factory.made() - before, 4000 / 37);
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));  // over
  EXPECT_EQ(client->answers, 1);
  const int in_window = world.factory.made();
  for (int i = 0; i < 400; ++i) world.Pass(milliseconds(10));
  EXPECT_LE(world.factory.made() - in_window, 12);
}

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

// As a load balancer does until another server stands behind it.
TEST_F(PoolOutage, AttemptsThatHangKeepNoneFromBeingMade) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(milliseconds(100));
  world.factory.SetMood(0, Mood::kSilent);
  for (int i = 0; i < 200; ++i) world.Pass(milliseconds(10));
  EXPECT_LE(world.factory.most_open(), 4U);
  const int before = world.factory.made();
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
  EXPECT_GE(world.factory.made() - before, 9);
  EXPECT_EQ(client->answers, 0);
  // What hangs still hangs; a new attempt gets through.
  const int last = world.factory.made();
  BringBack(&world);
  for (int i = 0; i < 12 && world.Busy() == nullptr; ++i) world.Pass(milliseconds(10));
  ASSERT_NE(world.Busy(), nullptr);
  EXPECT_GE(world.factory.made(), last);
  world.Busy()->Answer(kStamp);
  world.Turn();
  world.Busy()->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

// How long they took says nothing of how long it takes to connect.
TEST_F(PoolOutage, AttemptsThatHungUntilTheHostCameBackMakeNoLaterOnesRarer) {
  PoolWorld world(Options());
  world.OpenAll();
  for (int outage = 0; outage < 3; ++outage) {
    SCOPED_TRACE(outage);
    TakeAway(&world);
    const auto client = world.Look("k");
    world.Pass(milliseconds(100));
    world.factory.SetMood(0, Mood::kSilent);
    for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
    const int before = world.factory.made();
    for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
    EXPECT_GE(world.factory.made() - before, 9);
    const auto hanging = world.Open();
    BringBack(&world);
    std::for_each(hanging.rbegin(), hanging.rend(), [](auto* attempt) { attempt->Accept(); });
    world.Turn();
    AnswerQuestion(&world);
    for (int i = 0; i < 600; ++i) {
      world.Pass(milliseconds(10));
      for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    }
    EXPECT_EQ(client->answers, 1);
  }
}

// The old primary of a cluster is cut off; another host takes over.
TEST_F(PoolOutage, WhatHangsOnOneHostKeepsNoOtherFromBeingTried) {
  for (const int connections : {1, 2, 4}) {
    SCOPED_TRACE(connections);
    PoolWorld::Options options = Options(3);
    options.settings.connections = connections;
    PoolWorld world(options);
    world.OpenAll();
    const std::size_t old = world.Connection(0).host();
    TakeAway(&world);
    const auto client = world.Look("k");
    for (int i = 0; i < 10; ++i) world.Pass(milliseconds(10));
    world.factory.SetMood(old, Mood::kSilent);
    for (int i = 0; i < 200; ++i) world.Pass(milliseconds(10));
    EXPECT_LE(world.factory.most_open(), static_cast<std::size_t>(connections));
    BringBack(&world, (old + 1) % 3);
    int waited = 0;
    for (; waited < 100 && world.Busy() == nullptr; ++waited) world.Pass(milliseconds(10));
    // With one connection what hangs has to be given up first.
    EXPECT_LE(waited, connections == 1 ? 50 : 10);
    ASSERT_NE(world.Busy(), nullptr);
    world.Busy()->Answer(kStamp);
    world.Turn();
    world.Busy()->AnswerEverything("v");
    EXPECT_EQ(client->value, "v");
  }
}

// A session that is made and leads nowhere.
TEST_F(PoolOutage, AQuestionThatIsNotAnsweredIsAskedOnAnotherConnection) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(milliseconds(100));
  BringBack(&world);
  world.Pass(milliseconds(60));
  ASSERT_TRUE(IsQuestion(world.Connection(0)));
  const int first = world.Connection(0).number();
  for (int i = 0; i < 130; ++i) world.Pass(milliseconds(10));  // stall_limit and more
  EXPECT_EQ(client->answers, 0);
  ASSERT_FALSE(world.Open().empty());
  EXPECT_NE(world.Connection(0).number(), first);
  AnswerQuestion(&world);
  world.Busy()->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
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
