// Servers that are behind their primary while something else goes wrong: others are silent or away,
// questions fail, connections are few or busy.
#include <chrono>
#include <string>
#include <vector>

#include "tests/pgsql/pool/lag_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using PoolLagFailure = PoolLag;

// Its statements fail for another reason: it is overloaded, and behind for that.
TEST_F(PoolLagFailure, OneThatIsBehindIsNotUsedBecauseItFailsToSayIt) {
  PoolWorld world(Options(2));
  Ask(&world, seconds(1), {kBehind, kCurrent});
  for (int i = 0; i < 5; ++i) {
    const auto client = world.Look("k");
    world.Pass(milliseconds(500));
    for (auto* upstream : world.factory.OpenTo(0)) {
      if (IsAsked(*upstream)) upstream->Fail("57014", "canceling statement");
    }
    Serve(&world, {kBehind, kCurrent});
    EXPECT_EQ(client->value, "v");
  }
  EXPECT_EQ(LookupsOn(world, 0), 0U);
  EXPECT_TRUE(world.observer.caught_up.empty());
  EXPECT_TRUE(world.observer.lag_unknown.empty());
}

TEST_F(PoolLagFailure, OneThatIsBehindIsNotUsedBecauseTheOtherIsSilent) {
  PoolWorld::Options options = Options(2);
  options.settings.stall_limit = milliseconds(500);
  PoolWorld world(options);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  const auto client = world.Look("k");
  for (int i = 0; i < 10; ++i) {
    world.Pass(milliseconds(100));
    for (auto* upstream : world.factory.OpenTo(0)) {
      while (upstream->answerable() > 0) upstream->Answer(IsAsked(*upstream) ? kBehind : "old");
    }
  }
  EXPECT_EQ(client->answers, 0);
  EXPECT_EQ(LookupsOn(world, 0), 0U);
  Serve(&world, {kBehind, kCurrent});
  EXPECT_EQ(client->value, "v");
}

// One connection, and each host is behind: they are not connected to in turns for ever.
TEST_F(PoolLagFailure, WithARoomForOneConnectionAndAllBehind) {
  PoolWorld::Options options = Options(2);
  options.settings.connections = 1;
  PoolWorld world(options);
  Ask(&world, seconds(10), {kBehind, kBehind});
  EXPECT_LE(world.factory.made(), 2);
}

TEST_F(PoolLagFailure, WithARoomForOneConnectionTheHostThatWasDownIsTried) {
  PoolWorld::Options options = Options(2, config::WhenAllLag::kRetry);
  options.settings.connections = 1;
  options.settings.outage_wait = seconds(60);
  PoolWorld world(options);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kRefuses);
  const auto client = world.Look("k");
  for (int i = 0; i < 20; ++i) {
    world.Pass(milliseconds(100));
    Serve(&world, {kBehind, kCurrent});
  }
  EXPECT_EQ(client->answers, 0);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kAccepts);
  for (int i = 0; i < 20 && client->answers == 0; ++i) {
    world.Pass(milliseconds(100));
    Serve(&world, {kBehind, kCurrent});
  }
  EXPECT_EQ(client->value, "v");
}

// The machine was paused, and what it knew is older than its own time tells.
TEST_F(PoolLagFailure, AfterAPauseItIsAskedBeforeItIsUsed) {
  PoolWorld world(Options(1));
  Ask(&world, milliseconds(10), {kCurrent});
  world.loop.Pause(std::chrono::minutes(10));
  const auto client = world.Look("k");
  world.Turn();
  EXPECT_TRUE(IsAsked(world.Connection(0)));
  EXPECT_EQ(world.Connection(0).unanswered(), 1U);
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolLagFailure, AfterAnIdleTimeOneThatWasBehindIsAskedAgain) {
  PoolWorld world(Options(1, config::WhenAllLag::kRetry));
  const auto early = world.Look("k");
  Serve(&world, {kBehind});
  EXPECT_EQ(early->outcome, Outcome::kRetry);
  world.Pass(seconds(30));
  const auto client = world.Look("k");
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolLagFailure, WhoCannotSayIsNotAskedOnEachNewConnection) {
  PoolWorld::Options options = Options(1);
  options.settings.connections = 1;
  PoolWorld world(options);
  const auto first = world.Look("k");
  world.Turn();
  world.Connection(0).Fail("42501", "permission denied");
  Serve(&world, {kCurrent});
  EXPECT_EQ(first->value, "v");
  world.Connection(0).Lose("gone");
  const auto second = world.Look("k");
  Serve(&world, {kCurrent});
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(Questions(world.Connection(0)), 0U);
}

// A lookup waits for a host that is to be asked, whose only connection is busy with a statement
// that takes long.
TEST_F(PoolLagFailure, OneThatIsBusyIsAskedOnAnotherConnection) {
  PoolWorld world(Options(1));
  const auto slow = PoolWorld::Table("SELECT slow('%s')", WriteClass::kReads);
  slow->service_time.Record(seconds(8));
  Ask(&world, milliseconds(10), {kCurrent});
  const auto one = world.Look("k", slow);
  world.Pass(milliseconds(500));
  Serve(&world, {kCurrent});
  EXPECT_EQ(one->value, "v");
  const auto two = world.Look("k", slow);
  world.Turn();
  world.Pass(seconds(7));
  const auto quick = world.Look("k");
  for (int i = 0; i < 20 && quick->answers == 0; ++i) {
    world.Turn();
    for (auto* upstream : world.Open()) {
      if (upstream->answerable() > 0 && upstream->oldest()->sql != "SELECT slow('k')") {
        upstream->Answer(IsAsked(*upstream) ? kCurrent : "v");
      }
    }
  }
  EXPECT_EQ(quick->value, "v");
  EXPECT_EQ(two->answers, 0);
  Serve(&world, {kCurrent});
}

TEST_F(PoolLagFailure, OneThatIsUsedAllTheSameIsToldSo) {
  PoolWorld world(Options(2));
  Ask(&world, seconds(1), {kBehind, kCurrent});
  ASSERT_EQ(world.observer.behind.size(), 1U);
  Ask(&world, seconds(1), {kBehind, kBehind});
  EXPECT_EQ(world.observer.behind.size(), 3U) << "both are used now";
  Ask(&world, seconds(1), {kBehind, kCurrent});
  EXPECT_EQ(world.observer.behind.back(), "a: it is 60.0 s behind (max_replica_lag)");
  EXPECT_EQ(world.observer.caught_up, std::vector<std::string>{"b"});
}

TEST_F(PoolLagFailure, ALimitThatIsGoneIsNoCatchingUp) {
  PoolWorld::Options options = Options(2);
  PoolWorld world(options);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  options.settings.max_replica_lag = {};
  world.pool->SetSettings(options.settings);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  EXPECT_TRUE(world.observer.caught_up.empty());
  EXPECT_GT(LookupsOn(world, 0), 0U);
}

// What waited for the other one is answered by the one that is behind, not RETRY.
TEST_F(PoolLagFailure, AfterTheWaitForTheOtherOneThatIsBehindAnswers) {
  PoolWorld::Options options = Options(2);
  options.settings.outage_wait = seconds(5);
  PoolWorld world(options);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(1)) upstream->Lose("gone", "57P01");
  const auto waits = world.Look("k");
  const auto pass = [&](Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds(10)) {
      world.Pass(milliseconds(10));
      Serve(&world, {kBehind, kCurrent});
    }
  };
  pass(seconds(4));
  EXPECT_EQ(waits->answers, 0);
  pass(seconds(2));
  EXPECT_EQ(waits->value, "v") << waits->reason;
  // And at once from then on, however seldom somebody asks.
  for (int i = 0; i < 5; ++i) {
    pass(seconds(20));
    const auto client = world.Look("k");
    Serve(&world, {kBehind, kCurrent});
    EXPECT_EQ(client->value, "v") << i << client->reason;
  }
  // Until the other one is back.
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kAccepts);
  pass(seconds(2));
  Ask(&world, seconds(1), {kBehind, kCurrent});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(2), {kBehind, kCurrent});
  EXPECT_EQ(LookupsOn(world, 0), before);
}

}  // namespace
}  // namespace proxymux::pgsql
