// How a pool whose lookups wait finds out that a host is back: attempts to connect.
#include <gtest/gtest.h>

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

// Its back-off had grown while another host served.
TEST_F(PoolOutage, AHostThatWasDownBeforeTheOutageIsTriedAsOften) {
  PoolWorld world(Options(2));
  world.factory.SetMood(0, Mood::kRefuses);
  // Lookups come all the while, and the other host answers them.
  for (int i = 0; i < 1000; ++i) {
    std::vector<ClientPointer> clients;
    for (int k = 0; k < 20; ++k) clients.push_back(world.Look(std::to_string(i * 20 + k)));
    world.Pass(milliseconds(10));
    for (int turn = 0; turn < 5; ++turn) {
      for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
      world.Turn();
    }
  }
  ASSERT_EQ(world.pool->hosts()[0].health.state(), HostHealth::State::kDown);
  // Just tried, it has the whole of its back-off before it.
  const Time retry_at = world.pool->hosts()[0].health.retry_at();
  for (int i = 0; i < 100 && world.pool->hosts()[0].health.retry_at() == retry_at; ++i) {
    world.Pass(milliseconds(10));
  }
  ASSERT_GT(world.pool->hosts()[0].health.retry_at(), retry_at);
  TakeAway(&world);
  BringBack(&world, 0);
  const auto client = world.Look("k");
  for (int i = 0; i < 20 && world.Open().empty(); ++i) world.Pass(milliseconds(10));
  ASSERT_EQ(world.Open().size(), 1U);
  AnswerQuestion(&world);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v") << client->reason;
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

// Nor does a connection that took long because a packet was lost.
TEST_F(PoolOutage, OneSlowConnectionMakesNoLaterAttemptsRarer) {
  PoolWorld world(Options());
  world.OpenAll();
  const auto serve = [&](int times) {
    for (int i = 0; i < times; ++i) {
      world.Pass(milliseconds(10));
      for (auto* upstream : world.Open()) {
        while (upstream->answerable() > 0) upstream->Answer(IsQuestion(*upstream) ? kStamp : "v");
      }
    }
  };
  const auto first = world.Look("k");
  serve(2);
  for (int i = 0; i < 70; ++i) world.Pass(seconds(1));  // idle connections are closed
  ASSERT_TRUE(world.Open().empty());
  world.factory.SetMood(0, Mood::kSilent);
  const auto second = world.Look("k");
  for (int i = 0; i < 25; ++i) world.Pass(milliseconds(100));
  ASSERT_EQ(second->answers, 0);
  BringBack(&world);
  serve(100);
  EXPECT_EQ(second->value, "v");
  TakeAway(&world);
  const auto third = world.Look("k");
  world.Pass(milliseconds(100));
  world.factory.SetMood(0, Mood::kSilent);
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
  const int before = world.factory.made();
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
  EXPECT_GE(world.factory.made() - before, 7);
  BringBack(&world);
  serve(100);
  EXPECT_EQ(third->value, "v");
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

}  // namespace
}  // namespace proxymux::pgsql
