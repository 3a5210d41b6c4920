// Servers that are behind their primary: asked how far, and left alone when it is too far.
#include <chrono>
#include <string>
#include <vector>

#include "tests/pgsql/pool/lag_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(PoolLag, NoLookupGoesToAHostThatHasNotSaidHowFarItIs) {
  PoolWorld world(Options(1));
  const auto client = world.Look("k");
  world.Turn();
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_TRUE(IsAsked(world.Connection(0)));
  EXPECT_EQ(world.Connection(0).unanswered(), 1U);
  world.Connection(0).Answer(kPrimary);
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_TRUE(world.observer.behind.empty());
}

TEST_F(PoolLag, OneThatIsBehindGetsNoLookupsAndIsAskedOn) {
  PoolWorld world(Options(2));
  Ask(&world, seconds(2), {kBehind, kCurrent});
  EXPECT_EQ(LookupsOn(world, 0), 0U);
  EXPECT_EQ(world.observer.behind,
            std::vector<std::string>{"a: it is 60.0 s behind (max_replica_lag)"});
  ASSERT_EQ(world.factory.OpenTo(0).size(), 1U) << "to be asked";
  EXPECT_GE(Questions(*world.factory.OpenTo(0)[0]), 4U);
  EXPECT_LE(Questions(*world.factory.OpenTo(0)[0]), 6U);
  // It has caught up.
  Ask(&world, seconds(2), {kCurrent, kCurrent});
  EXPECT_GT(LookupsOn(world, 0), 0U);
  EXPECT_EQ(world.observer.caught_up, std::vector<std::string>{"a"});
}

TEST_F(PoolLag, OneThatFallsBehindLosesItsConnectionsButOne) {
  PoolWorld world(Options(2));
  Ask(&world, seconds(1), {kCurrent, kCurrent});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  const std::size_t within = LookupsOn(world, 0);
  EXPECT_GE(within, before);
  Ask(&world, seconds(2), {kBehind, kCurrent});
  EXPECT_EQ(LookupsOn(world, 0), within);
  EXPECT_EQ(world.factory.OpenTo(0).size(), 1U);
}

TEST_F(PoolLag, WithARoomForOneConnectionItGoesToAHostThatIsNotBehind) {
  PoolWorld::Options options = Options(2);
  options.settings.connections = 1;
  options.settings.hosts_policy = config::HostsPolicy::kSticky;
  for (std::uint32_t seed = 1; seed < 5; ++seed) {
    options.seed = seed;
    PoolWorld world(options);
    Ask(&world, seconds(3), {kBehind, kCurrent});
    EXPECT_EQ(LookupsOn(world, 0), 0U);
    EXPECT_EQ(world.Connection(0).host(), 1U);
    EXPECT_EQ(world.factory.most_open(), 1U);
  }
}

TEST_F(PoolLag, WhenAllAreBehindTheyAreUsed) {
  PoolWorld world(Options(2));
  Ask(&world, seconds(1), {kBehind, kBehind});
  EXPECT_GT(LookupsOn(world, 0) + LookupsOn(world, 1), 0U);
  ASSERT_FALSE(world.observer.behind.empty());
  EXPECT_EQ(world.observer.behind.back().substr(1),
            ", used: it is 60.0 s behind (max_replica_lag)");
  // As soon as one has caught up the other is left.
  Ask(&world, seconds(1), {kBehind, kCurrent});
  const std::size_t before = LookupsOn(world, 0);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  EXPECT_EQ(LookupsOn(world, 0), before);
}

TEST_F(PoolLag, OrLookupsAreRetry) {
  PoolWorld world(Options(1, config::WhenAllLag::kRetry));
  const auto client = world.Look("k");
  world.Turn();
  world.Connection(0).Answer(kBehind);
  world.Turn();
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->answers, 1);
  EXPECT_EQ(client->reason, "a: it is 60.0 s behind (max_replica_lag)");
}

TEST_F(PoolLag, AndWaitForAnOutageToPassFirst) {
  PoolWorld::Options options = Options(1, config::WhenAllLag::kRetry);
  options.settings.outage_wait = seconds(5);
  PoolWorld world(options);
  const auto client = world.Look("k");
  world.Turn();
  world.Connection(0).Answer(kBehind);
  world.Pass(seconds(2));
  EXPECT_EQ(client->answers, 0);
  ASSERT_TRUE(IsAsked(world.Connection(0)));
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
  ASSERT_EQ(world.observer.outages_over.size(), 1U);
  EXPECT_EQ(world.observer.outages_over[0].waited, 1U);
}

TEST_F(PoolLag, AfterAnIdleTimeItIsAskedBeforeItIsUsed) {
  PoolWorld world(Options(1));
  Ask(&world, milliseconds(10), {kCurrent});
  world.Pass(seconds(7));
  const auto client = world.Look("k");
  world.Turn();
  EXPECT_TRUE(IsAsked(world.Connection(0)));
  EXPECT_EQ(world.Connection(0).unanswered(), 1U);
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
}

// The only connection is a table's own: there is no other one to ask on.
TEST_F(PoolLag, IsAskedInASessionThatATableHasChanged) {
  PoolWorld::Options options = Options(1);
  options.settings.connections = 1;
  PoolWorld world(options);
  const auto own = PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kReads);
  own->session = SessionUse::kOwnSession;
  const auto first = world.Look("k", own);
  Serve(&world, {kCurrent});
  EXPECT_EQ(first->value, "v");
  world.Pass(seconds(7));
  const auto later = world.Look("k", own);
  Serve(&world, {kCurrent});
  EXPECT_EQ(later->value, "v");
  EXPECT_EQ(Questions(world.Connection(0)), 2U);
  EXPECT_EQ(world.factory.made(), 1);
}

TEST_F(PoolLag, WhoCannotSayIsUsed) {
  PoolWorld world(Options(1));
  const auto client = world.Look("k");
  world.Turn();
  ASSERT_TRUE(IsAsked(world.Connection(0)));
  world.Connection(0).Fail("42883", "function pg_control_system() does not exist");
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(world.observer.lag_unknown,
            std::vector<std::string>{"a: function pg_control_system() does not exist"});
}

TEST_F(PoolLag, AnAnswerThatIsNoneCountsAsOneThatFailed) {
  PoolWorld world(Options(1));
  Ask(&world, milliseconds(10), {kCurrent});
  for (int i = 0; i < 3; ++i) Ask(&world, milliseconds(600), {"x"});
  EXPECT_EQ(world.observer.lag_unknown, std::vector<std::string>{"a: its answer has another form"});
}

TEST_F(PoolLag, AQuestionThatIsLostIsAskedAgain) {
  PoolWorld world(Options(1));
  const auto client = world.Look("k");
  world.Turn();
  ASSERT_TRUE(IsAsked(world.Connection(0)));
  world.Connection(0).Lose("gone", "57P01");
  world.Pass(milliseconds(100));
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_TRUE(IsAsked(world.Connection(0)));
  Serve(&world, {kCurrent});
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolLag, TheNextConnectionMayLeadToAnotherServer) {
  PoolWorld::Options options = Options(1);
  options.settings.connections = 1;
  PoolWorld world(options);
  Ask(&world, milliseconds(10), {kCurrent});
  world.Connection(0).Lose("gone");
  Ask(&world, milliseconds(10), {kBehind});
  ASSERT_EQ(world.Open().size(), 1U);
  EXPECT_EQ(Questions(world.Connection(0)), 1U);
  EXPECT_EQ(world.observer.behind,
            std::vector<std::string>{"a, used: it is 60.0 s behind (max_replica_lag)"});
}

TEST_F(PoolLag, WithoutALimitItIsShownAndHoldsNobodyUp) {
  PoolWorld::Options options = PoolWorld::Hosts(1);
  options.shows_lag = true;
  PoolWorld world(options);
  const auto client = world.Look("k");
  world.Turn();
  EXPECT_EQ(world.Connection(0).unanswered(), 1U) << "the first lookup waits for no question";
  Serve(&world, {kBehind});
  EXPECT_EQ(client->value, "v");
  Ask(&world, milliseconds(10), {kBehind});
  EXPECT_EQ(world.pool->hosts()[0].lag.lag(), seconds(60));
  EXPECT_TRUE(world.observer.behind.empty());
  Ask(&world, seconds(3), {kBehind});
  EXPECT_LE(Questions(world.Connection(0)), 4U);
  EXPECT_GE(Questions(world.Connection(0)), 3U);
}

TEST_F(PoolLag, ANewLimitHoldsAtOnce) {
  PoolWorld::Options options = PoolWorld::Hosts(2);
  options.shows_lag = true;
  PoolWorld world(options);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  const std::size_t before = LookupsOn(world, 0);
  EXPECT_GT(before, 0U);
  config::PoolSettings settings = options.settings;
  settings.max_replica_lag = seconds(5);
  world.pool->SetSettings(settings);
  Ask(&world, seconds(1), {kBehind, kCurrent});
  EXPECT_EQ(LookupsOn(world, 0), before);
}

}  // namespace
}  // namespace proxymux::pgsql
