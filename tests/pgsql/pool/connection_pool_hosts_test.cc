// Which host a pool's connections and lookups go to, and how they move when one fails and returns.
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolHosts : public SilenceWorld {
 protected:
  static PoolWorld::Options Sticky(std::uint32_t seed = 1) {
    auto options = PoolWorld::Hosts(2);
    options.settings.hosts_policy = config::HostsPolicy::kSticky;
    options.seed = seed;
    return options;
  }
  // So many clients ask again as soon as they are answered, by every host but one that is frozen.
  void Serve(Duration time, int at_once = 6, std::optional<std::size_t> frozen = std::nullopt) {
    for (Duration passed{}; passed < time; passed += milliseconds(5)) {
      std::size_t waiting = 0;
      for (const auto& client : clients) waiting += client->answers == 0 ? 1 : 0;
      for (; waiting < static_cast<std::size_t>(at_once); ++waiting) Look("k");
      world->Pass(milliseconds(5));
      for (auto* upstream : world->Open()) {
        if (upstream->host() != frozen) upstream->AnswerEverything("v");
      }
      world->Turn();
      if (frozen.has_value()) TimeOutConnects();
    }
  }
  // Every lookup was answered, by a server.
  void ExpectAllAnswered() {
    AnswerAll("v");
    for (const auto& client : clients) ASSERT_EQ(client->value, "v") << client->reason;
  }
  std::size_t To(std::size_t host) const { return world->factory.OpenTo(host).size(); }
  std::uint64_t AnsweredBy(std::size_t host) const {
    return world->pool->hosts()[host].counts.answered;
  }
};

TEST_F(PoolHosts, StickyHasAllConnectionsAndLookupsOnOneHostChosenAtRandom) {
  std::set<std::size_t> chosen;
  for (std::uint32_t i = 1; i <= 10; ++i) {
    Open(Sticky(i * 0x9e3779b9U), 4);
    const std::size_t favourite = world->Connection(0).host();
    chosen.insert(favourite);
    Serve(seconds(1));
    EXPECT_EQ(To(favourite), 4U);
    EXPECT_EQ(world->factory.made_to(1 - favourite), 0);
    EXPECT_EQ(AnsweredBy(1 - favourite), 0U);
    ExpectAllAnswered();
  }
  EXPECT_EQ(chosen.size(), 2U);
}

TEST_F(PoolHosts, WhenTheFavouriteFreezesTheOtherServesAndStaysTheFavourite) {
  for (const int at_once : {1, 2, 4, 6}) {
    SCOPED_TRACE(at_once);
    Open(Sticky(), 4);
    const std::size_t favourite = world->Connection(0).host();
    const std::size_t other = 1 - favourite;
    Freeze(favourite);
    Serve(seconds(4), at_once, favourite);
    EXPECT_EQ(HealthOf(favourite), State::kDown);
    EXPECT_GT(AnsweredBy(other), 100U);
    ExpectAllAnswered();
    world->factory.SetMood(favourite, Mood::kAccepts);
    Serve(seconds(3), at_once);
    EXPECT_EQ(HealthOf(favourite), State::kUp);
    const std::uint64_t before = AnsweredBy(favourite);
    Serve(seconds(1), at_once);
    EXPECT_EQ(AnsweredBy(favourite), before);
    EXPECT_EQ(To(favourite), 0U);
    ExpectAllAnswered();
  }
}

TEST_F(PoolHosts, AConnectionThatSomebodyStillWaitsForIsNotTakenFromAHostThatIsWantedLess) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 2;
  options.settings.pipeline_depth = 1;
  options.settings.hosts_policy = config::HostsPolicy::kSticky;
  world = std::make_unique<PoolWorld>(options);
  const auto first = world->Look("1");
  const auto second = world->Look("2");
  world->Turn();
  ASSERT_EQ(world->Open().size(), 2U);
  const std::size_t other = 1 - world->Connection(0).host();
  for (auto* upstream : world->Open()) upstream->Fail("40P01", "deadlock detected");
  world->Turn();
  ASSERT_EQ(world->factory.OpenTo(other).size(), 1U);
  EXPECT_EQ(world->factory.OpenTo(other)[0]->unanswered(), 1U);
  world->factory.OpenTo(other)[0]->Answer("v");
  world->Turn();
  for (auto* upstream : world->Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(first->value, "v");
  EXPECT_EQ(second->value, "v");
  EXPECT_EQ(world->factory.made_to(other), 1);
}

TEST_F(PoolHosts, WhenAHostReturnsConnectionsMoveThereUntilTheyAreEven) {
  world = std::make_unique<PoolWorld>(PoolWorld::Hosts(2));
  world->factory.SetMood(1, Mood::kRefuses);
  Serve(seconds(1));
  ASSERT_EQ(To(0), 3U);
  ASSERT_EQ(HealthOf(1), State::kDown);
  world->factory.SetMood(1, Mood::kAccepts);
  Serve(seconds(2));
  EXPECT_EQ(To(0), 2U);
  EXPECT_EQ(To(1), 2U);
  const int made = world->factory.made();
  Serve(seconds(2));
  EXPECT_EQ(world->factory.made(), made);  // nothing moves any more
  ExpectAllAnswered();
  EXPECT_TRUE(world->observer.lost.empty());
  EXPECT_EQ(world->pool->counters().reruns, 0U);
}

TEST_F(PoolHosts, AHostOfABetterClassThatReturnsTakesTheLookupsAgain) {
  auto options = PoolWorld::Hosts(2);
  options.hosts = {HostKind::kTcp, HostKind::kUnixSocket};
  world = std::make_unique<PoolWorld>(options);
  world->factory.SetMood(1, Mood::kRefuses);
  Serve(seconds(1));
  ASSERT_EQ(To(0), 3U);
  world->factory.SetMood(1, Mood::kAccepts);
  Serve(seconds(2));
  EXPECT_EQ(To(0), 0U);
  EXPECT_EQ(To(1), 4U);
  const std::uint64_t before = AnsweredBy(0);
  Serve(seconds(1));
  EXPECT_EQ(AnsweredBy(0), before);
  ExpectAllAnswered();
  EXPECT_TRUE(world->observer.lost.empty());
  EXPECT_EQ(world->pool->counters().reruns, 0U);
}

TEST_F(PoolHosts, AHostOnTrialGetsOneStatementAndMoreOnceThatIsAnswered) {
  world = std::make_unique<PoolWorld>(PoolWorld::Hosts(2));
  world->factory.SetMood(1, Mood::kRefuses);
  Serve(seconds(1));
  ExpectAllAnswered();
  world->factory.SetMood(1, Mood::kAccepts);
  world->Pass(seconds(1));
  ASSERT_EQ(HealthOf(1), State::kTrial);
  ASSERT_EQ(To(1), 1U);
  auto* trial = world->factory.OpenTo(1)[0];
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) Look("k");
    world->Pass(milliseconds(2));
    EXPECT_EQ(To(1), 1U);
    EXPECT_EQ(trial->unanswered(), 1U);
    for (auto* upstream : world->factory.OpenTo(0)) upstream->AnswerEverything("v");
  }
  trial->Answer("v");
  EXPECT_EQ(HealthOf(1), State::kUp);
  EXPECT_EQ(world->observer.up, std::vector<std::string>{"b"});
  for (int i = 0; i < 20; ++i) Look("k");
  world->Turn();
  EXPECT_GE(trial->unanswered(), 5U);
  ExpectAllAnswered();
}

class BatchOfThisMillisecond : public PoolHosts {
 protected:
  // Two connections: one owes so many answers, the other one less, since this millisecond. And one
  // lookup more.
  void Make(std::size_t owed) {
    auto options = PoolWorld::Hosts(2);
    options.settings.connections = 2;
    Open(options);
    for (std::size_t i = 0; i < 2 * owed - 1; ++i) Look("before");
    world->Turn();
    more = &world->Connection(0);
    fewer = &world->Connection(1);
    if (more->unanswered() < fewer->unanswered()) std::swap(more, fewer);
    fewer->AnswerEverything("v");
    world->Pass(milliseconds(1));
    for (std::size_t i = 0; i < owed - 1; ++i) Look("now");
    world->Turn();
    ASSERT_EQ(more->unanswered(), owed);
    ASSERT_EQ(fewer->unanswered(), owed - 1);
    Look("next");
    world->Turn();
  }

  fakes::ScriptedUpstream* more = nullptr;
  fakes::ScriptedUpstream* fewer = nullptr;
};

TEST_F(BatchOfThisMillisecond, IsWaitedForWhenTheOtherOwesClearlyMore) {
  Make(2);
  EXPECT_EQ(more->unanswered(), 2U);
  EXPECT_EQ(fewer->unanswered(), 1U);
  EXPECT_EQ(world->pool->Gauges().queued, 1U);
  world->Pass(milliseconds(1));
  EXPECT_EQ(more->unanswered(), 2U);
  EXPECT_EQ(fewer->unanswered(), 2U);
}

TEST_F(BatchOfThisMillisecond, IsNotWaitedForWhenTheOtherOwesLittleMore) {
  Make(3);
  EXPECT_EQ(more->unanswered(), 4U);
  EXPECT_EQ(fewer->unanswered(), 2U);
}

// A lookup may be sent twice to one host.
TEST_F(PoolHosts, OfWhatALostConnectionOwedOnlyTheOldestHasUsedUpATry) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 1;
  Open(options, 1);
  const auto oldest = Look("oldest");
  const auto behind = Look("behind it");
  const auto last = Look("last");
  // The next connection has one at a time until it answers.
  for (const std::size_t owed : {3U, 1U}) {
    world->Turn();
    ASSERT_EQ(world->Open().size(), 1U);
    ASSERT_EQ(world->Connection(0).unanswered(), owed);
    world->Connection(0).Lose("gone");
  }
  EXPECT_EQ(oldest->outcome, Outcome::kRetry);
  EXPECT_EQ(oldest->answers, 1);
  EXPECT_EQ(behind->answers, 0);
  for (int i = 0; i < 2; ++i) {
    world->Turn();
    ASSERT_EQ(world->Open().size(), 1U);
    ASSERT_EQ(world->Connection(0).unanswered(), 1U);
    world->Connection(0).AnswerEverything("v");
  }
  EXPECT_EQ(behind->value, "v");
  EXPECT_EQ(last->value, "v");
}

TEST_F(PoolHosts, AServerThatEndsOneConnectionAfterTheOtherLosesNoLookup) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 4;
  Open(options, 4);
  for (int i = 0; i < 12; ++i) Look("k");
  world->Turn();
  world->factory.SetMood(0, Mood::kRefuses);
  for (std::size_t left = 4; left > 1; --left) {
    ASSERT_EQ(world->Open().size(), left);
    EXPECT_GE(world->Connection(0).unanswered(), 3U);
    world->Connection(0).Lose("terminating");
    // Those that are still to end answer once more, and so get what it owed.
    const auto others = world->Open();
    for (auto* other : others) {
      other->Answer("v");
      Look("k");
    }
    world->Pass(milliseconds(2));
  }
  EXPECT_EQ(world->pool->counters().connections_lost, 3U);
  ASSERT_EQ(world->Open().size(), 1U);
  ExpectAllAnswered();
}

// The one host has refused it, and the only connection to the other one is another table's. By
// chance a connection might go where it is of no use: so over many seeds.
TEST_F(PoolHosts, ALookupThatOnlyOneHostMayHaveGetsItsConnectionThere) {
  for (std::uint32_t i = 1; i <= 10; ++i) {
    auto options = PoolWorld::Hosts(2);
    options.seed = i * 0x9e3779b9U;
    Open(options, 2);
    const auto own = PoolWorld::Table("SELECT f(k) FROM t WHERE k = '%s'", WriteClass::kReads);
    own->session = SessionUse::kOwnSession;
    Look("o", own);
    world->Turn();
    const std::size_t host = Busy()->host();
    AnswerAll("v");
    const auto refused = Look("k");
    world->Turn();
    ASSERT_EQ(Busy()->host(), 1 - host);
    Busy()->Fail("42501", "permission denied for table t");
    world->Turn();
    EXPECT_EQ(To(host), 2U);
    EXPECT_EQ(world->factory.made(), 3);
    AnswerAll("v");
    EXPECT_EQ(refused->value, "v");
  }
}

}  // namespace
}  // namespace proxymux::pgsql
