// How a pool spreads work over connections and hosts while all goes well.
#include "pgsql/pool/connection_pool.h"

#include <gtest/gtest.h>

#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ConnectionPool, OneClientHasOneConnectionHoweverOftenItAsks) {
  PoolWorld world;
  for (int i = 0; i < 10; ++i) {
    const auto client = world.Look("k" + std::to_string(i));
    world.Turn();
    ASSERT_EQ(world.Open().size(), 1U);
    EXPECT_EQ(world.Connection(0).oldest()->sql,
              "SELECT v FROM t WHERE k = 'k" + std::to_string(i) + "'");
    world.Connection(0).Answer("value");
    EXPECT_EQ(client->answers, 1);
    EXPECT_EQ(client->outcome, Outcome::kFound);
    EXPECT_EQ(client->value, "value");
    EXPECT_EQ(client->reason, "");
  }
  EXPECT_EQ(world.factory.made(), 1);
  EXPECT_TRUE(world.pool->Idle());
  EXPECT_EQ(world.pool->counters().lookups, 10U);
  EXPECT_EQ(world.pool->counters().statements, 10U);
  EXPECT_EQ(world.pool->counters().syncs, 10U);
}

TEST(ConnectionPool, ManyClientsHaveAsManyConnectionsAsAllowedAndNoMore) {
  PoolWorld world;
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  EXPECT_EQ(world.Open().size(), 4U);
  EXPECT_EQ(world.factory.most_open(), 4U);
  while (!world.pool->Idle()) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.factory.made(), 4);
}

TEST(ConnectionPool, ASecondConnectionIsTriedOnlyWhenTheFirstOneShowedThatTheHostIsThere) {
  PoolWorld world;
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kSilent);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  EXPECT_EQ(world.Open().size(), 1U);
  world.Connection(0).Accept();
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
  world.Turn();
  EXPECT_EQ(world.Open().size(), 4U);
  for (const auto& client : clients) world.Abandon(client);
}

TEST(ConnectionPool, WhatOneTurnBringsInIsOneBatchWithOneSync) {
  PoolWorld world;
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(world.Look("k"));
  EXPECT_TRUE(world.Connection(0).oldest() == nullptr);  // nothing is sent before the turn ends
  world.Turn();
  for (auto* upstream : world.Open()) {
    EXPECT_TRUE(upstream->history().ends_with("SSS|")) << upstream->history();
    upstream->AnswerEverything("v");
  }
  for (const auto& client : clients) EXPECT_EQ(client->answers, 1);
}

TEST(ConnectionPool, AStatementThatMayWriteHasSyncsOfItsOwnAround) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  std::vector<ClientPointer> clients = {
      world.Look("1"),
      world.Look("2"),
      world.Look("3", world.writes),
      world.Look("4", world.writes),
      world.Look("5"),
  };
  world.Turn();
  EXPECT_TRUE(world.Connection(0).history().ends_with("|SS|S|S|S|"))
      << world.Connection(0).history();
  // So that its failure takes nobody along.
  world.Connection(0).Answer("v");
  world.Connection(0).Answer("v");
  world.Connection(0).Fail("23505", "duplicate key");
  world.Connection(0).AnswerEverything("v");
  EXPECT_EQ(clients[2]->outcome, Outcome::kRetry);
  for (std::size_t i : {0, 1, 3, 4}) EXPECT_EQ(clients[i]->value, "v") << i;
}

TEST(ConnectionPool, WorkGoesToTheConnectionWithTheLeastInFlight) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 3U);
  EXPECT_EQ(world.Connection(1).unanswered(), 3U);
  world.Connection(1).AnswerEverything("v");
  for (int i = 0; i < 3; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 3U);
  EXPECT_EQ(world.Connection(1).unanswered(), 3U);
  world.Connection(0).AnswerEverything("v");
  world.Connection(1).AnswerEverything("v");
}

// Small batches cost both sides more than large ones: what comes while a connection is at work is
// gathered for its next batch, for a millisecond at most.
TEST(ConnectionPool, ABusyConnectionGetsItsNextBatchWhenItIsDoneOrAMillisecondLater) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  auto& connection = world.Connection(0);
  const auto first = world.Look("1");
  world.Turn();
  const auto second = world.Look("2");
  world.Turn();
  const auto third = world.Look("3");
  world.Turn();
  EXPECT_EQ(connection.unanswered(), 1U);
  connection.Answer("v");
  world.Turn();
  EXPECT_TRUE(connection.history().ends_with("S|SS|")) << connection.history();
  const auto fourth = world.Look("4");
  world.Turn();
  EXPECT_EQ(connection.unanswered(), 2U);
  world.Pass(std::chrono::milliseconds(1));
  EXPECT_EQ(connection.unanswered(), 3U);
  connection.AnswerEverything("v");
  for (const auto& client : {first, second, third, fourth}) EXPECT_EQ(client->value, "v");
}

TEST(ConnectionPool, PipelineDepthBoundsWhatIsInFlightAndTheRestWaitsItsTurn) {
  PoolWorld::Options options;
  options.settings.connections = 2;
  options.settings.pipeline_depth = 3;
  PoolWorld world(options);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(world.Look(std::to_string(i)));
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 3U);
  EXPECT_EQ(world.Connection(1).unanswered(), 3U);
  EXPECT_EQ(world.pool->Gauges().queued, 4U);
  EXPECT_EQ(world.pool->Gauges().in_flight, 6U);
  EXPECT_EQ(world.pool->Gauges().busy, 2U);
  world.Connection(0).Answer("v");
  world.Pass(std::chrono::milliseconds(1));
  EXPECT_EQ(world.Connection(0).unanswered(), 3U);
  EXPECT_EQ(world.pool->Gauges().queued, 3U);
  for (int round = 0; round < 4; ++round) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
}

TEST(ConnectionPool, TellsWhatItHasAndWhatItDoes) {
  PoolWorld::Options options;
  options.settings.connections = 2;
  options.settings.pipeline_depth = 1;
  PoolWorld world(options);
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kSilent);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  PoolGauges gauges = world.pool->Gauges();
  EXPECT_EQ(gauges.connecting, 1U);
  EXPECT_EQ(gauges.ready, 0U);
  EXPECT_EQ(gauges.busy, 0U);
  EXPECT_EQ(gauges.queued, 5U);
  EXPECT_EQ(gauges.in_flight, 0U);
  EXPECT_EQ(gauges.oldest_wait, Duration::zero());
  world.factory.SetMood(0, fakes::ScriptedFactory::Mood::kAccepts);
  world.Pass(milliseconds(5));
  gauges = world.pool->Gauges();
  EXPECT_EQ(gauges.connecting, 0U);
  EXPECT_EQ(gauges.ready, 2U);
  EXPECT_EQ(gauges.busy, 2U);
  EXPECT_EQ(gauges.queued, 3U);
  EXPECT_EQ(gauges.in_flight, 2U);
  EXPECT_EQ(gauges.oldest_wait, milliseconds(5));
  EXPECT_EQ(world.pool->InFlightOn(0), 2U);
  const PoolHost& host = world.pool->hosts()[0];
  EXPECT_EQ(host.counts.connects, 2U);
  EXPECT_EQ(host.counts.connect_failures, 0U);
  EXPECT_EQ(host.counts.answered, 0U);
  world.Connection(1).Answer("v");
  world.Connection(0).Lose("gone");
  EXPECT_EQ(host.counts.answered, 1U);
  EXPECT_EQ(host.counts.failures, 1U);
  ASSERT_TRUE(host.health.last_error().has_value());
  EXPECT_EQ(host.health.last_error()->text, "gone");
  EXPECT_EQ(world.pool->counters().connections_lost, 1U);
  EXPECT_EQ(world.pool->counters().reruns, 1U);
  for (int i = 0; i < 5; ++i) {
    world.Turn();
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  }
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.pool->Gauges().oldest_wait, Duration::zero());
  EXPECT_EQ(world.pool->Gauges().busy, 0U);
}

TEST(ConnectionPool, ConnectionsAreSpreadOverHostsOfOneKind) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  EXPECT_EQ(world.factory.OpenTo(0).size(), 2U);
  EXPECT_EQ(world.factory.OpenTo(1).size(), 2U);
}

TEST(ConnectionPool, UnixSocketsArePreferred) {
  PoolWorld::Options options;
  options.hosts = {HostKind::kUri, HostKind::kTcp, HostKind::kUnixSocket};
  options.settings.connections = 1;
  PoolWorld world(options);
  world.OpenAll();
  EXPECT_EQ(world.factory.OpenTo(2).size(), 1U);
}

TEST(ConnectionPool, AnIdleConnectionIsClosedAfterTheIdleIntervalAndOpenedAgainOnDemand) {
  PoolWorld::Options options;
  options.idle_interval = seconds(30);
  PoolWorld world(options);
  world.OpenAll();
  for (int i = 0; i < 29; ++i) {
    const auto client = world.Look("k");  // one busy client needs one connection
    world.Pass(milliseconds(0));
    world.Connection(0).AnswerEverything("v");
    world.Pass(seconds(1));
    ASSERT_EQ(client->answers, 1);
    ASSERT_EQ(world.Open().size(), 4U) << i;
  }
  world.Pass(seconds(3));
  EXPECT_EQ(world.Open().size(), 1U);
  world.Pass(seconds(31));
  EXPECT_EQ(world.Open().size(), 0U);
  EXPECT_EQ(world.loop.timers_running(), 0U);  // nothing left to wait for
  EXPECT_TRUE(world.observer.lost.empty());
  const auto client = world.Look("k");
  world.Turn();
  world.Connection(0).Answer("again");
  EXPECT_EQ(client->value, "again");
}

TEST(ConnectionPool, FewerConnectionsInNewSettingsCloseIdleOnes) {
  PoolWorld world;
  world.OpenAll();
  config::PoolSettings settings = world.pool->settings();
  settings.connections = 2;
  world.pool->SetSettings(settings);
  world.Pass(seconds(1));
  EXPECT_EQ(world.Open().size(), 2U);
}

}  // namespace
}  // namespace proxymux::pgsql
