// What is said of a pool while its hosts go away and come back, and while nobody asks them.
#include "proxy/daemon/pool_collector.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

#include "tests/pgsql/pool/lag_world.h"
#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::proxy {
namespace {

using pgsql::PoolWorld;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

PoolStatus Of(const PoolWorld& world) { return CollectPool(*world.pool, world.loop); }

class StatusOfAnOutage : public pgsql::PoolOutage {};

TEST_F(StatusOfAnOutage, SaysThatLookupsWaitHowManyAndSinceWhen) {
  PoolWorld world(Options());
  world.OpenAll();
  EXPECT_EQ(Of(world).outage.state, OutageState::kServing);
  TakeAway(&world);
  // Nothing is known of that table yet: the pool has a question of its own as well.
  const auto unknown =
      PoolWorld::Table("SELECT v FROM u WHERE k = '%s'", pgsql::WriteClass::kUnknown);
  const auto first = world.Look("k1", unknown);
  const auto second = world.Look("k2");
  world.Pass(seconds(2));
  const PoolStatus waiting = Of(world);
  EXPECT_EQ(waiting.outage.state, OutageState::kWaiting);
  EXPECT_GE(waiting.outage.lasts, seconds(2));
  EXPECT_EQ(waiting.queue_length, 2U);
  EXPECT_GE(waiting.oldest_wait, seconds(2));
  EXPECT_EQ(waiting.hosts[0].state, "down");

  world.Pass(pgsql::kWait);
  const PoolStatus down = Of(world);
  EXPECT_EQ(down.outage.state, OutageState::kDown);
  EXPECT_GE(down.outage.lasts, pgsql::kWait + seconds(2));
  EXPECT_EQ(down.queue_length, 0U);
  EXPECT_EQ(first->answers + second->answers, 2);

  BringBack(&world);
  world.Pass(seconds(1));
  world.Answered(1);
  const PoolStatus serving = Of(world);
  EXPECT_EQ(serving.outage.state, OutageState::kServing);
  EXPECT_EQ(serving.outage.lasts, milliseconds(0));
  EXPECT_EQ(serving.outage.begun, 1U);
}

class StatusOfALag : public pgsql::PoolLag {};

TEST_F(StatusOfALag, SaysHowLongAgoItWasAsked) {
  PoolWorld::Options options = PoolWorld::Hosts(1);
  options.shows_lag = true;
  options.idle_interval = minutes(10);
  PoolWorld world(options);
  EXPECT_EQ(Of(world).hosts[0].lag_age, std::nullopt);
  Ask(&world, seconds(3), {pgsql::kBehind});
  HostStatus host = Of(world).hosts[0];
  EXPECT_EQ(host.role, "standby");
  EXPECT_EQ(host.lag, seconds(60));
  ASSERT_TRUE(host.lag_age.has_value());
  EXPECT_LE(*host.lag_age, milliseconds(1100));
  // Nothing is looked up; a machine that is paused does not make it younger.
  world.Pass(minutes(4));
  world.loop.Pause(minutes(1));
  host = Of(world).hosts[0];
  EXPECT_EQ(host.lag, seconds(60));
  ASSERT_TRUE(host.lag_age.has_value());
  EXPECT_GE(*host.lag_age, minutes(5));
  EXPECT_LE(*host.lag_age, minutes(5) + milliseconds(1100));
  Ask(&world, milliseconds(10), {pgsql::kBehind});
  EXPECT_LE(Of(world).hosts[0].lag_age.value_or(minutes(1)), milliseconds(100));
  // What is not connected to any more says nothing.
  world.Pass(minutes(11));
  EXPECT_EQ(Of(world).hosts[0].lag_age, std::nullopt);
  EXPECT_EQ(Of(world).hosts[0].lag, std::nullopt);
}

TEST(StatusOfADisabledHost, SaysThatAndForHowLong) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  world.pool->SetDisabled(1, true);
  world.Pass(minutes(3));
  const PoolStatus status = Of(world);
  EXPECT_EQ(status.hosts[0].state, "up");
  EXPECT_TRUE(status.hosts[0].usable);
  EXPECT_EQ(status.hosts[1].state, "disabled");
  EXPECT_FALSE(status.hosts[1].usable);
  EXPECT_EQ(status.hosts[1].reason, "the administrator has disabled it (proxymux ctl enable)");
  EXPECT_EQ(status.hosts[1].since, minutes(3));
  world.pool->SetDisabled(1, false);
  EXPECT_EQ(Of(world).hosts[1].state, "up");
}

// A counter that falls is taken for a new process.
TEST(StatusOfAHost, CountsWhatWasAnsweredAndWhatWasLostAndNeverLess) {
  PoolWorld world(PoolWorld::Connections(1));
  const auto first = world.Look("k1");
  const auto second = world.Look("k2");
  world.Turn();
  EXPECT_EQ(Of(world).hosts[0].ok, 0U) << "only sent";
  EXPECT_EQ(Of(world).hosts[0].last_failure.age, std::nullopt);
  world.Connection(0).Answer("v");
  EXPECT_EQ(Of(world).hosts[0].ok, 1U);
  world.Connection(0).Lose("the server is gone");
  EXPECT_EQ(Of(world).hosts[0].ok, 1U);
  EXPECT_EQ(Of(world).hosts[0].failed, 1U);
  world.Turn();
  world.Connection(0).AnswerEverything("v");
  EXPECT_EQ(second->value, "v");
  world.Pass(seconds(3));
  const HostStatus host = Of(world).hosts[0];
  EXPECT_EQ(host.ok, 2U);
  EXPECT_EQ(host.failed, 1U);
  EXPECT_EQ(host.state, "up");
  EXPECT_EQ(host.last_failure.text, "the server is gone") << "although all is well again";
  EXPECT_EQ(host.last_failure.age, seconds(3));
}

TEST(StatusOfAPool, SaysHowMuchOfItsConnectionsIsUsedAndHowMuchIsWaited) {
  PoolWorld::Options options = PoolWorld::Connections(2);
  options.settings.pipeline_depth = 1;
  PoolWorld world(options);
  world.OpenAll();
  const PoolStatus before = Of(world);
  std::vector<pgsql::ClientPointer> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(world.Look("k"));
  world.Turn();
  world.Pass(milliseconds(500));
  const PoolStatus busy = Of(world);
  EXPECT_EQ(busy.busy_time - before.busy_time, seconds(1)) << "two connections";
  EXPECT_EQ(busy.queued_time - before.queued_time, milliseconds(1500)) << "three lookups";
  for (int i = 0; i < 5; ++i) {
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    world.Turn();
  }
  world.Pass(seconds(10));
  const PoolStatus after = Of(world);
  EXPECT_EQ(after.busy_time, busy.busy_time);
  EXPECT_EQ(after.queued_time, busy.queued_time);
  EXPECT_EQ(after.most_busy, 2U);
  EXPECT_EQ(after.most_queued, 3U);
  EXPECT_EQ(after.busy, 0U);
}

}  // namespace
}  // namespace proxymux::proxy
