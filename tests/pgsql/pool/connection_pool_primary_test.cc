// Servers of which only the primary may answer: one that was replaced and does not know it, as when
// its Patroni is dead, is left alone as soon as the pool has seen the new one.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/pgsql/pool/lag_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kNewPrimary[] = "7 primary 90 00000002";
constexpr char kDemoted[] =
    "a: it is a standby, and another host is the primary (target_session_attrs)";
constexpr char kReplaced[] = "a: another server has been promoted in its place";

class PoolPrimary : public PoolLag {
 protected:
  static PoolWorld::Options Options() {
    PoolWorld::Options options = PoolWorld::Hosts(2);
    options.shows_lag = true;
    options.wants_primary = true;
    return options;
  }
};

TEST_F(PoolPrimary, OneThatWasReplacedIsLeft) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kPrimary});
  EXPECT_GT(LookupsOn(world, 0), 0U);
  EXPECT_TRUE(world.observer.behind.empty());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  EXPECT_EQ(world.observer.behind, std::vector<std::string>{kReplaced});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(10), {kPrimary, kNewPrimary});
  EXPECT_EQ(LookupsOn(world, 0), before);
  EXPECT_EQ(world.observer.behind.size(), 1U) << "said once";
  // It follows the new one, which is lost then, and is promoted.
  Ask(&world, seconds(2), {"7 primary 95 00000003", kNewPrimary});
  EXPECT_GT(LookupsOn(world, 0), before);
  EXPECT_EQ(world.observer.caught_up, std::vector<std::string>{"a, was apart"});
}

// Its Patroni was started again, and a pooler before it kept the session.
TEST_F(PoolPrimary, ThatTheReasonIsAnotherOneIsTold) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  Ask(&world, seconds(2), {kCurrent, kNewPrimary});
  EXPECT_EQ(world.observer.behind, (std::vector<std::string>{kReplaced, kDemoted}));
  EXPECT_TRUE(world.observer.caught_up.empty());
}

// A pooler before it keeps the session, though the server ends it.
TEST_F(PoolPrimary, OneThatWasDemotedIsLeftThoughItsSessionGoesOn) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kPrimary});
  EXPECT_GT(LookupsOn(world, 0), 0U);
  Ask(&world, seconds(2), {kCurrent, kNewPrimary});
  EXPECT_EQ(world.observer.behind, std::vector<std::string>{kDemoted});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(10), {kCurrent, kNewPrimary});
  EXPECT_EQ(LookupsOn(world, 0), before);
  Ask(&world, seconds(2), {"7 primary 95 00000003", kCurrent});
  EXPECT_GT(LookupsOn(world, 0), before);
}

// Where one connection is enough, or all go to one host, the new one is looked for all the same.
TEST_F(PoolPrimary, TheNewOneIsSeenThoughNoLookupNeedsIt) {
  for (const config::HostsPolicy policy :
       {config::HostsPolicy::kSticky, config::HostsPolicy::kSpread}) {
    PoolWorld::Options options = Options();
    options.settings.hosts_policy = policy;
    for (std::uint32_t seed = 1; seed < 5; ++seed) {
      options.seed = seed;
      PoolWorld world(options);
      const auto ask = [&world](Duration time, const std::vector<std::string>& said) {
        for (Duration passed{}; passed < time; passed += milliseconds(50)) {
          const auto one = world.Look("k");
          Serve(&world, said);
          EXPECT_EQ(one->answers, 1);
          world.Pass(milliseconds(50));
        }
      };
      ask(seconds(2), {kPrimary, kPrimary});
      ask(seconds(32), {kPrimary, kNewPrimary});
      const std::size_t before = LookupsOn(world, 0);
      ask(seconds(70), {kPrimary, kNewPrimary});
      EXPECT_LE(LookupsOn(world, 0), before);
      EXPECT_EQ(world.observer.behind, std::vector<std::string>{kReplaced});
    }
  }
}

// It was asked for while nobody looked anything up.
TEST_F(PoolPrimary, ANewOneIsAskedWithoutALookup) {
  PoolWorld::Options options = Options();
  options.settings.hosts_policy = config::HostsPolicy::kSticky;
  PoolWorld world(options);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kRefuses);
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  EXPECT_GT(LookupsOn(world, 0), 0U);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kAccepts);
  for (int i = 0; i < 50; ++i) {
    world.Pass(milliseconds(100));
    Serve(&world, {kPrimary, kNewPrimary});
  }
  EXPECT_EQ(world.observer.behind, std::vector<std::string>{kReplaced});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  EXPECT_EQ(LookupsOn(world, 0), before);
}

// As behind a load balancer, which sends new connections to the new one.
TEST_F(PoolPrimary, ANewConnectionToOneThatWasReplacedMayLeadToAnotherServer) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  ASSERT_EQ(world.factory.OpenTo(0).size(), 1U);
  const int made = world.factory.made();
  Ask(&world, seconds(29), {kPrimary, kNewPrimary});
  EXPECT_EQ(world.factory.made(), made);
  Ask(&world, seconds(33), {kPrimary, kNewPrimary});
  EXPECT_GT(world.factory.made(), made);
  EXPECT_LE(world.factory.made(), made + 4) << "now and then";
  Ask(&world, seconds(62), {kNewPrimary, kNewPrimary});
  EXPECT_GT(LookupsOn(world, 0), 0U);
}

// All connections end when nobody asks for long enough; what was known is not forgotten with them.
TEST_F(PoolPrimary, NorIsItUsedAfterAQuietTime) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  const std::size_t made = static_cast<std::size_t>(world.factory.made());
  world.Pass(seconds(120));
  ASSERT_TRUE(world.Open().empty());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  EXPECT_GT(static_cast<std::size_t>(world.factory.made()), made);
  EXPECT_EQ(LookupsOn(world, 0), 0U);
  EXPECT_GT(LookupsOn(world, 1), 0U);
}

// Whoever asks it alone gets no answer of a server that is one no more.
TEST_F(PoolPrimary, NorWhenTheNewOneIsAway) {
  PoolWorld world(Options());
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  const std::size_t before = LookupsOn(world, 0);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(1)) upstream->Lose("gone");
  const auto client = world.Look("k");
  for (int i = 0; i < 20; ++i) {
    Serve(&world, {kPrimary, kNewPrimary});
    world.Pass(milliseconds(100));
  }
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->answers, 1);
  EXPECT_EQ(LookupsOn(world, 0), before);
}

// It is connected to again, and found to be what it was: no outage is over for that.
TEST_F(PoolPrimary, NorIsAnOutageOverWhenItIsConnectedTo) {
  PoolWorld::Options options = Options();
  options.settings.outage_wait = seconds(5);
  PoolWorld world(options);
  Ask(&world, seconds(2), {kPrimary, kNewPrimary});
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(1)) upstream->Lose("gone");
  const auto first = world.Look("k");
  for (int i = 0; i < 100; ++i) {
    world.Pass(milliseconds(20));
    Serve(&world, {kPrimary, kNewPrimary});
    if (i == 50) {
      for (auto* upstream : world.factory.OpenTo(0)) upstream->Lose("gone");
    }
  }
  EXPECT_EQ(first->answers, 0);
  EXPECT_EQ(world.pool->counters().outages, 1U);
  EXPECT_EQ(world.pool->Gauges().outage, Outage::State::kWaiting);
  world.factory.SetMood(1, fakes::ScriptedFactory::Mood::kAccepts);
  for (int i = 0; i < 10; ++i) {
    world.Pass(milliseconds(100));
    Serve(&world, {kPrimary, kNewPrimary});
  }
  EXPECT_EQ(first->value, "v");
}

TEST_F(PoolPrimary, WhoeverMayAnswerGoesOnAnswering) {
  PoolWorld::Options options = Options();
  options.wants_primary = false;
  PoolWorld world(options);
  Ask(&world, seconds(5), {kPrimary, kNewPrimary});
  EXPECT_GT(LookupsOn(world, 0), 100U);
  EXPECT_TRUE(world.observer.behind.empty());
}

TEST_F(PoolPrimary, NoLookupGoesToAHostThatHasNotSaidWhatItIs) {
  PoolWorld world(Options());
  const auto client = world.Look("k");
  world.Turn();
  ASSERT_EQ(world.Open().size(), 2U) << "both are to be seen";
  for (auto* upstream : world.Open()) {
    EXPECT_TRUE(IsAsked(*upstream));
    EXPECT_EQ(upstream->unanswered(), 1U);
  }
  Serve(&world, {kPrimary, kPrimary});
  EXPECT_EQ(client->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
