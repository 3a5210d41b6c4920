// Slow statements and quick ones over the same few connections.
#include <gtest/gtest.h>

#include <algorithm>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::shared_ptr<TableBinding> SlowTable() {
  auto table = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  for (int i = 0; i < 10; ++i) table->service_time.Record(milliseconds(200));
  return table;
}

std::shared_ptr<TableBinding> UnknownTable() {
  auto table = PoolWorld::Table("SELECT new FROM t WHERE k = '%s'", WriteClass::kReads);
  table->service_time = ServiceTime();
  return table;
}

std::vector<ClientPointer> LookMany(PoolWorld& world, int count,
                                    const std::shared_ptr<TableBinding>& table) {
  std::vector<ClientPointer> clients;
  for (int i = 0; i < count; ++i) clients.push_back(world.Look("k" + std::to_string(i), table));
  return clients;
}

bool Runs(const fakes::ScriptedUpstream& upstream, const std::string& column) {
  return upstream.oldest() != nullptr &&
         upstream.oldest()->sql.find("SELECT " + column) != std::string::npos;
}

std::size_t Running(const PoolWorld& world, const std::string& column) {
  const auto open = world.Open();
  return static_cast<std::size_t>(std::count_if(
      open.begin(), open.end(), [&](const auto* upstream) { return Runs(*upstream, column); }));
}

void AnswerAll(PoolWorld& world, const std::string& column) {
  for (auto* upstream : world.Open()) {
    while (Runs(*upstream, column)) upstream->Answer("v");
  }
}

std::size_t Answered(const std::vector<ClientPointer>& clients) {
  return static_cast<std::size_t>(std::count_if(
      clients.begin(), clients.end(), [](const auto& client) { return client->answers == 1; }));
}

// Answers whatever there is until nobody waits.
void Finish(PoolWorld& world) {
  for (int i = 0; i < 1000 && !world.pool->Idle(); ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  EXPECT_TRUE(world.pool->Idle());
}

TEST(PoolLanes, OneConnectionStaysForQuickLookups) {
  PoolWorld world(PoolWorld::Connections(4));
  world.OpenAll();
  const auto slow_table = SlowTable();
  const auto slow = LookMany(world, 50, slow_table);
  world.Turn();
  EXPECT_EQ(Running(world, "slow"), 3U);
  const auto quick = LookMany(world, 20, world.reads);
  world.Turn();
  EXPECT_EQ(Running(world, "v"), 1U);
  AnswerAll(world, "v");
  EXPECT_EQ(Answered(quick), 20U);
  EXPECT_EQ(Answered(slow), 0U);
  Finish(world);
  EXPECT_EQ(Answered(slow), 50U);
}

TEST(PoolLanes, WhenNothingQuickIsAboutSlowLookupsHaveThemAll) {
  PoolWorld world(PoolWorld::Connections(4));
  world.OpenAll();
  world.Pass(seconds(6));
  const auto slow = LookMany(world, 50, SlowTable());
  world.Turn();
  EXPECT_EQ(Running(world, "slow"), 4U);
  Finish(world);
  EXPECT_EQ(Answered(slow), 50U);
}

TEST(PoolLanes, QuickLookupsDoNotQueueBehindSlowOnes) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  const auto slow = LookMany(world, 10, SlowTable());
  world.Turn();
  for (int i = 0; i < 20; ++i) {
    const auto quick = world.Look("q", world.reads);
    world.Turn();
    AnswerAll(world, "v");
    EXPECT_EQ(quick->answers, 1) << i;
  }
  EXPECT_EQ(Answered(slow), 0U);
  Finish(world);
}

TEST(PoolLanes, ASlowLookupGetsItsTurnHoweverManyQuickOnesCome) {
  for (const int connections : {1, 2, 4}) {
    PoolWorld world(PoolWorld::Connections(connections));
    world.OpenAll();
    auto quick = LookMany(world, 40, world.reads);
    world.Turn();
    const auto slow = world.Look("s", SlowTable());
    for (int i = 0; i < 50 && slow->answers == 0; ++i) {
      const auto more = LookMany(world, 40, world.reads);
      quick.insert(quick.end(), more.begin(), more.end());
      world.Turn();
      for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
      world.Turn();
    }
    EXPECT_EQ(slow->answers, 1) << connections;
    Finish(world);
    EXPECT_EQ(Answered(quick), quick.size());
  }
}

TEST(PoolLanes, SlowTablesShareTheLanes) {
  PoolWorld world(PoolWorld::Connections(4));
  world.OpenAll();
  const auto first_table = SlowTable();
  const auto first = LookMany(world, 50, first_table);
  world.Turn();
  EXPECT_EQ(Running(world, "slow"), 3U);
  const auto second_table = SlowTable();
  const auto second = world.Look("other", second_table);
  world.Turn();
  for (auto* upstream : world.Open()) {
    if (Runs(*upstream, "slow")) {
      upstream->Answer("v");
      break;
    }
  }
  world.Turn();
  EXPECT_EQ(second_table->in_lanes, 1U);
  Finish(world);
  EXPECT_EQ(second->answers, 1);
  EXPECT_EQ(first_table->in_lanes, 0U);
  EXPECT_EQ(second_table->in_lanes, 0U);
}

TEST(PoolLanes, ANewTableIsMeasuredAndThenShares) {
  PoolWorld world(PoolWorld::Connections(4));
  world.OpenAll();
  const auto table = UnknownTable();
  const auto clients = LookMany(world, 100, table);
  world.Turn();
  EXPECT_EQ(Running(world, "new"), 3U);
  for (auto* upstream : world.Open()) {
    EXPECT_LE(upstream->unanswered(), 1U) << "behind one of which nothing is known";
  }
  world.loop.Advance(milliseconds(1));
  AnswerAll(world, "new");
  world.Turn();
  EXPECT_FALSE(table->service_time.slow());
  EXPECT_EQ(Running(world, "new"), 4U);
  Finish(world);
  EXPECT_EQ(Answered(clients), 100U);
}

TEST(PoolLanes, ATableThatBecomesSlowLeavesTheOthersAlone) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  const auto table = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  // In one batch with quick ones: which of them took so long is not known.
  const auto before = LookMany(world, 1, world.reads);
  const auto neighbours = LookMany(world, 3, table);
  const auto quick = LookMany(world, 3, world.reads);
  world.Turn();
  world.loop.Advance(milliseconds(200));
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_TRUE(table->service_time.slow());
  EXPECT_TRUE(world.reads->service_time.slow());
  // By itself the quick one is quick again, and the slow one is not.
  for (int i = 0; i < 8; ++i) {
    const auto one = world.Look("q", world.reads);
    const auto other = world.Look("s", table);
    world.Turn();
    world.loop.Advance(milliseconds(1));
    AnswerAll(world, "v");
    world.loop.Advance(milliseconds(199));
    AnswerAll(world, "slow");
    world.Turn();
  }
  EXPECT_TRUE(table->service_time.slow());
  EXPECT_FALSE(world.reads->service_time.slow());
  Finish(world);
}

// No other lookup of that table comes later: those that wait already change their line.
TEST(PoolLanes, WhatWaitsForATableThatBecomesSlowInAnothersBatchWaitsForALane) {
  auto options = PoolWorld::Connections(1);
  options.settings.pipeline_depth = 2;
  PoolWorld world(options);
  world.OpenAll();
  const auto table = PoolWorld::Table("SELECT slow FROM t WHERE k = '%s'", WriteClass::kReads);
  const auto first = world.Look("f", world.reads);
  const auto neighbour = world.Look("n", table);
  const auto waiting = LookMany(world, 4, table);
  world.Turn();
  auto& connection = world.Connection(0);
  ASSERT_EQ(connection.unanswered(), 2U);
  world.loop.Advance(milliseconds(200));
  connection.AnswerEverything("v");
  world.Turn();
  EXPECT_EQ(table->in_lanes, 1U);
  EXPECT_EQ(connection.unanswered(), 1U);
  Finish(world);
  EXPECT_EQ(Answered(waiting), 4U);
}

TEST(PoolLanes, ALaneThatIsLostGivesItsWorkBack) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  const auto table = SlowTable();
  const auto slow = LookMany(world, 6, table);
  world.Turn();
  for (auto* upstream : world.Open()) {
    if (!Runs(*upstream, "slow")) continue;
    upstream->Lose("server closed the connection unexpectedly");
    break;
  }
  world.Turn();
  Finish(world);
  EXPECT_EQ(Answered(slow), 6U);
  EXPECT_EQ(table->in_lanes, 0U);
}

TEST(PoolLanes, AnOnlyConnectionThatCannotHaveASecondServesBoth) {
  PoolWorld world(PoolWorld::Connections(4));
  const auto warm = world.Look("warm");
  world.Turn();
  world.Connection(0).Answer("v");
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kDenies);
  const auto slow = LookMany(world, 3, SlowTable());
  const auto quick = LookMany(world, 3, world.reads);
  for (int i = 0; i < 20; ++i) {
    world.Pass(milliseconds(200));
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  EXPECT_EQ(Answered(slow), 3U);
  EXPECT_EQ(Answered(quick), 3U);
}

}  // namespace
}  // namespace proxymux::pgsql
