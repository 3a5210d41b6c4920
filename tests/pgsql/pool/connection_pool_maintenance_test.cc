// What the administrator does to a pool while it serves: hosts are taken out of use and put back,
// connections are replaced, and no lookup is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PoolMaintenance : public SilenceWorld {
 protected:
  static PoolWorld::Options Hosts(std::size_t count) { return PoolWorld::Hosts(count); }
  // So many clients at once ask again as soon as they are answered.
  void Serve(Duration time, int at_once = 12) {
    for (Duration passed{}; passed < time; passed += milliseconds(5)) {
      int waiting = 0;
      for (const auto& client : clients) waiting += client->answers == 0 ? 1 : 0;
      for (; waiting < at_once; ++waiting) Look("k");
      world->Pass(milliseconds(5));
      for (auto* upstream : world->Open()) upstream->AnswerEverything("v");
      world->Turn();
    }
  }
  void ExpectAllAnswered() {
    AnswerAll("v");
    for (const auto& client : clients) ASSERT_EQ(client->value, "v") << client->reason;
  }
  std::size_t To(std::size_t host) const { return world->factory.OpenTo(host).size(); }
  std::set<int> Numbers() const {
    std::set<int> numbers;
    for (const auto* upstream : world->Open()) numbers.insert(upstream->number());
    return numbers;
  }
};

TEST_F(PoolMaintenance, ADisabledHostAnswersWhatItHasAndGetsNothingMore) {
  Open(Hosts(2), 4);
  Serve(milliseconds(100));
  ASSERT_GT(To(0), 0U);
  const ClientPointer under_way = Look("k");
  world->Turn();
  auto* const there = Busy();
  ASSERT_NE(there, nullptr);
  const std::size_t host = there->host();
  world->pool->SetDisabled(host, true);
  world->Turn();
  EXPECT_EQ(To(host), 1U) << "the idle ones end at once";
  there->AnswerEverything("v");
  EXPECT_EQ(under_way->value, "v");
  world->Pass(milliseconds(25));  // it is looked after 20 ms later
  EXPECT_EQ(To(host), 0U);
  const int made = world->factory.made_to(host);
  Serve(seconds(3));
  EXPECT_EQ(world->factory.made_to(host), made);
  EXPECT_EQ(To(1 - host), 4U) << "the other one has all of them";
  ExpectAllAnswered();
  EXPECT_TRUE(world->observer.down.empty());
}

TEST_F(PoolMaintenance, AnAttemptToConnectIsGivenUp) {
  world = std::make_unique<PoolWorld>(Hosts(2));
  world->factory.SetMood(0, Mood::kSilent);
  world->factory.SetMood(1, Mood::kSilent);
  for (int i = 0; i < 4; ++i) Look("k");
  world->Turn();
  ASSERT_GT(To(0), 0U);
  world->pool->SetDisabled(0, true);
  world->Turn();
  EXPECT_EQ(To(0), 0U);
  world->factory.SetMood(1, Mood::kAccepts);
  Serve(milliseconds(200), 4);
  ExpectAllAnswered();
}

TEST_F(PoolMaintenance, AHostThatIsEnabledIsInUseAgain) {
  Open(Hosts(2), 4);
  world->pool->SetDisabled(1, true);
  Serve(seconds(1));
  ASSERT_EQ(To(1), 0U);
  world->pool->SetDisabled(1, false);
  Serve(seconds(3));
  EXPECT_EQ(To(0), 2U);
  EXPECT_EQ(To(1), 2U);
  ExpectAllAnswered();
}

// A process that was started while it was disabled knows nothing of it; nor may one know anything
// good of a host that was disabled because it was in trouble.
TEST_F(PoolMaintenance, AlsoWhenItWasNeverSeenAndOthersHaveAllConnections) {
  world = std::make_unique<PoolWorld>(Hosts(2));
  world->pool->SetDisabled(1, true);
  Serve(seconds(1));
  ASSERT_EQ(To(0), 4U);
  ASSERT_EQ(HealthOf(1), State::kUntried);
  world->pool->SetDisabled(1, false);
  Serve(seconds(3));
  EXPECT_EQ(To(0), 2U);
  EXPECT_EQ(To(1), 2U);
  ExpectAllAnswered();
}

TEST_F(PoolMaintenance, AlsoWhenItWasDown) {
  Open(Hosts(2), 4);
  world->factory.SetMood(1, Mood::kRefuses);
  for (auto* upstream : world->factory.OpenTo(1)) upstream->Lose("gone");
  Serve(seconds(1));
  ASSERT_EQ(HealthOf(1), State::kDown);
  world->pool->SetDisabled(1, true);
  Serve(seconds(1));
  ASSERT_EQ(To(0), 4U);
  world->factory.SetMood(1, Mood::kAccepts);
  world->pool->SetDisabled(1, false);
  Serve(seconds(3));
  EXPECT_EQ(To(0), 2U);
  EXPECT_EQ(To(1), 2U);
  ExpectAllAnswered();
}

// While it was out of use it may have been taken down: nobody finds out before it is needed.
TEST_F(PoolMaintenance, OneThatCannotBeConnectedToWhenItIsEnabledCostsNoLookup) {
  Open(Hosts(2), 4);
  world->pool->SetDisabled(1, true);
  Serve(seconds(1));
  world->factory.SetMood(1, Mood::kRefuses);
  Serve(seconds(1));
  EXPECT_EQ(HealthOf(1), State::kUp) << "as it was";
  world->pool->SetDisabled(1, false);
  Serve(seconds(2));
  EXPECT_EQ(HealthOf(1), State::kDown);
  ExpectAllAnswered();
}

// It does not come back by itself.
TEST_F(PoolMaintenance, WhereNoHostIsLeftLookupsAreAnsweredRetryAtOnce) {
  auto options = Hosts(1);
  options.settings.outage_wait = seconds(5);
  Open(options, 1);
  world->pool->SetDisabled(0, true);
  world->Turn();
  const ClientPointer client = Look("k");
  world->Pass(milliseconds(20));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_NE(client->reason.find("the administrator has disabled it"), std::string::npos)
      << client->reason;
  world->pool->SetDisabled(0, false);
  const ClientPointer later = Look("k");
  world->Pass(milliseconds(20));
  AnswerAll("v");
  EXPECT_EQ(later->value, "v");
}

TEST_F(PoolMaintenance, ConnectionsAreReplacedOneAfterTheOther) {
  Open(Hosts(1), 4);
  Serve(milliseconds(100));
  const std::set<int> before = Numbers();
  ASSERT_EQ(before.size(), 4U);
  EXPECT_EQ(world->pool->Reconnect(0), 4U);
  std::size_t fewest = 4;
  for (int i = 0; i < 100; ++i) {
    Serve(milliseconds(5));
    fewest = std::min(fewest, world->Open().size());
  }
  EXPECT_GE(fewest, 3U);
  const std::set<int> after = Numbers();
  EXPECT_EQ(after.size(), 4U);
  for (const int number : before) EXPECT_FALSE(after.contains(number)) << number;
  EXPECT_EQ(world->factory.made(), 8) << "each once";
  Serve(seconds(1));
  EXPECT_EQ(Numbers(), after);
  ExpectAllAnswered();
}

TEST_F(PoolMaintenance, OfIdleConnectionsOneIsReplacedAndTheOthersEnd) {
  auto options = Hosts(1);
  options.settings.connections = 5;
  Open(options, 4);
  EXPECT_EQ(world->pool->Reconnect(0), 4U);
  for (int i = 0; i < 12; ++i) world->Turn();
  EXPECT_EQ(Numbers(), std::set<int>{4}) << "more are made when there is work for them";
}

TEST_F(PoolMaintenance, IdleOnesStayWhenNoNewOneCanBeMade) {
  auto options = Hosts(1);
  options.settings.connections = 5;
  Open(options, 4);
  world->factory.SetMood(0, Mood::kDenies);
  world->pool->Reconnect(0);
  for (int i = 0; i < 12; ++i) world->Turn();
  EXPECT_EQ(To(0), 4U);
  const ClientPointer client = Look("k");
  AnswerAll("v");
  EXPECT_EQ(client->value, "v");
}

// The certificate may be the wrong one, or the password.
TEST_F(PoolMaintenance, WhenNewOnesCannotBeMadeTheOthersStay) {
  auto options = Hosts(1);
  options.idle_interval = seconds(600);
  Open(options, 4);
  Serve(milliseconds(100));
  world->factory.SetMood(0, Mood::kDenies);
  world->pool->Reconnect(0);
  Serve(seconds(3));
  EXPECT_EQ(To(0), 3U);
  EXPECT_EQ(HealthOf(0), State::kDown);
  ExpectAllAnswered();
  world->factory.SetMood(0, Mood::kAccepts);
  for (int i = 0; i < 70; ++i) world->Pass(seconds(1));  // retry_interval is a minute
  Serve(seconds(1));
  EXPECT_EQ(To(0), 4U);
  EXPECT_GE(*Numbers().begin(), 4) << "the rest followed as soon as that was over";
  ExpectAllAnswered();
}

}  // namespace
}  // namespace proxymux::pgsql
