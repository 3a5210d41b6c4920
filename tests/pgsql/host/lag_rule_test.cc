// Which hosts are used where it counts how far they are behind, and which of them is a primary.
#include "pgsql/host/lag_rule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "pgsql/host/host_set.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};
constexpr RealTime kThen{std::chrono::hours(9)};
constexpr Duration kLimit = seconds(5);

class HostSetLag : public testing::Test {
 protected:
  explicit HostSetLag(std::size_t count = 2) : hosts(Make(count)) {
    for (std::size_t i = 0; i < count; ++i) {
      hosts[i].health.OnConnected(kNow);
      hosts[i].ready = 1;
    }
    rule.SetLimit(kLimit, config::WhenAllLag::kRetry, &hosts);
  }
  static HostSet Make(std::size_t count) {
    std::vector<PoolHost> hosts;
    for (std::size_t i = 0; i < count; ++i) hosts.emplace_back(HostKind::kTcp, "host", seconds(60));
    return HostSet(std::move(hosts));
  }
  void Behind(std::size_t host, Duration age = seconds(60)) {
    Says(host, CutOff(Standby(0, 0, age)));
  }
  void Current(std::size_t host) { Says(host, Standby(1, 1, milliseconds(1))); }
  void Says(std::size_t host, const ReplicaState& state, Duration later = {}) {
    rule.OnAnswered(state, kThen + later, kThen + later, host, &hosts);
  }
  void Look(Duration later = {}) {
    rule.Look(kThen + later, &hosts);
    hosts.LookForOutage(kNow + later);
  }
  void Down(std::size_t host) {
    hosts[host].ready = 0;
    hosts[host].health.OnFailed(kNow, HostHealth::FailureKind::kUnreachable, "down", &random);
  }

  HostSet hosts;
  LagRule rule;
  std::minstd_rand random{5};
};

TEST_F(HostSetLag, WhatIsNotKnownYetIsBarredAndMayServeSoon) {
  Look();
  EXPECT_TRUE(hosts[0].barred);
  EXPECT_TRUE(hosts.MayServe(0));
  EXPECT_FALSE(hosts[0].TooFarBehind());
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt) << "one connection each";
  Current(0);
  Look();
  EXPECT_FALSE(hosts[0].barred);
  EXPECT_TRUE(hosts[1].barred);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(HostSetLag, OneThatIsBehindKeepsOneConnectionAndServesNobody) {
  Behind(0);
  Current(1);
  hosts[0].ready = 3;
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_FALSE(hosts.MayServe(0));
  EXPECT_TRUE(hosts.Alone(1));
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  Current(0);
  Look();
  EXPECT_TRUE(hosts.MayServe(0));
}

TEST_F(HostSetLag, WhenAllAreBehindTheyAreUsedIfThatIsWanted) {
  Behind(0);
  Behind(1);
  Look();
  EXPECT_FALSE(hosts.AnyMayServe());
  EXPECT_TRUE(hosts.AllDown());
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  Look();
  EXPECT_TRUE(hosts.MayServe(0));
  EXPECT_TRUE(hosts.MayServe(1));
  EXPECT_FALSE(hosts.AllDown());
  Current(1);
  Look();
  EXPECT_FALSE(hosts.MayServe(0));
}

// The other one is away, and nobody knows for how long.
TEST_F(HostSetLag, OneThatIsBehindIsUsedWhenNoOtherCanBeReached) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  Behind(0);
  Current(1);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  Down(1);
  Look();
  EXPECT_FALSE(hosts[0].TooFarBehind());
}

// What lookups wait for is the other one, which may be back before that is over.
TEST_F(HostSetLag, AnOutageOfTheOtherIsWaitedForFirst) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  hosts.SetOutageWait(seconds(5));
  Behind(0);
  Current(1);
  Down(1);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_TRUE(hosts.outage().waiting());
  const auto later = [&](Duration time) {
    Says(0, CutOff(Standby(0, 0, seconds(60))), time);
    Look(time);
    Look(time);
  };
  later(milliseconds(4999));
  EXPECT_TRUE(hosts[0].TooFarBehind());
  later(seconds(5));
  EXPECT_FALSE(hosts[0].TooFarBehind());
  EXPECT_EQ(hosts.outage().state(), Outage::State::kNone);
  // And it stays in use until the other one is there again.
  later(seconds(20));
  EXPECT_FALSE(hosts[0].TooFarBehind());
  hosts[1].health.OnConnected(kNow + seconds(21));
  hosts[1].ready = 1;
  Says(1, Standby(1, 1, milliseconds(1)), seconds(21));
  later(seconds(21));
  EXPECT_TRUE(hosts[0].TooFarBehind());
}

// It may be slow for a moment: that is no reason to ask one that is two days behind.
TEST_F(HostSetLag, AHostThatIsSilentOrSlowIsThere) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  Behind(0);
  Current(1);
  hosts[1].health.OnSilent(kNow, "silent");
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  hosts[1] = PoolHost(HostKind::kTcp, "new", seconds(60));
  hosts[1].connecting = 1;
  hosts[1].slow_to_connect = true;
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
}

TEST_F(HostSetLag, OfThoseThatAreBehindTheLeastIsUsed) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  Behind(0, std::chrono::hours(48));
  Behind(1, seconds(11));
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_FALSE(hosts[1].TooFarBehind());
  Behind(0, seconds(16));  // about the same
  Look();
  EXPECT_FALSE(hosts[0].TooFarBehind());
}

// Others write elsewhere by now.
TEST_F(HostSetLag, OneThatWasReplacedIsNeverUsed) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse, &hosts);
  Says(1, Primary(100, 2));
  Says(0, Primary(200, 1));
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  Down(1);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
}

// Mirrors that are clusters of their own say nothing of one another.
TEST_F(HostSetLag, EachClusterHasItsOwnPrimary) {
  Says(0, Primary(100, 2));
  ReplicaState other = Primary(5, 1);
  other.system = 8;
  Says(1, other);
  Look();
  EXPECT_FALSE(hosts[1].barred);
  Says(0, Primary(200, 1), seconds(1));
  Look(seconds(1));
  EXPECT_TRUE(hosts[0].TooFarBehind()) << "it was replaced";
}

// Or its connections would be ended and made again for ever.
TEST_F(HostSetLag, NobodyIsLeftForAHostThatTakesNoMoreConnections) {
  hosts[0] = PoolHost(HostKind::kUnixSocket, "socket", seconds(60));
  hosts[0].health.OnConnected(kNow);
  hosts[1].ready = 4;
  Current(1);
  Look();
  EXPECT_TRUE(hosts[0].barred);
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U) << "it may have one, to be asked";
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  Current(0);
  Look();
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
}

TEST_F(HostSetLag, OneThatIsBusyGetsAnotherConnectionToBeAskedOn) {
  Look();
  EXPECT_TRUE(hosts[0].barred);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
  hosts[0].unasked = true;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  hosts[0].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
}

// Somebody has to be asked, when nobody is connected to.
TEST_F(HostSetLag, WhatWasSaidOnConnectionsThatAreGoneIsForgottenWithTheLastOne) {
  Behind(0);
  Behind(1);
  Look();
  hosts[0].ready = 0;
  hosts[0].lag.OnLeft(kThen);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  hosts[1].ready = 0;
  hosts[1].lag.OnLeft(kThen);
  Look();
  EXPECT_FALSE(hosts[0].TooFarBehind());
  EXPECT_TRUE(hosts[0].barred);
  EXPECT_TRUE(hosts.MayServe(0));
}

TEST_F(HostSetLag, WithRetryItIsAnOutageThatMayPass) {
  hosts.SetOutageWait(seconds(5));
  Behind(0);
  Behind(1);
  Look();
  EXPECT_TRUE(hosts.outage().waiting());
  EXPECT_TRUE(hosts.AnyMayServe());
  Look(seconds(5));
  EXPECT_FALSE(hosts.AnyMayServe());
  Says(1, Standby(1, 1, milliseconds(1)), seconds(5));
  Look(seconds(5));
  EXPECT_EQ(hosts.outage().state(), Outage::State::kNone);
}

TEST_F(HostSetLag, TheFavouriteIsLeftWhenItIsBehind) {
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  Current(0);
  Current(1);
  Look();
  const std::size_t favourite = *hosts.ChooseForConnection(kNow, &random);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), favourite);
  Behind(favourite);
  Look();
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1 - favourite);
}

class HostSetPrefersStandby : public HostSetLag {
 protected:
  HostSetPrefersStandby() : HostSetLag(3) {
    rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
    rule.SetAsksRole(true);
    hosts.SetPrefersStandby(true);
    Says(0, Primary(1));
    Current(1);
    Current(2);
    Look();
  }
};

TEST_F(HostSetPrefersStandby, ConnectionsMoveAwayFromThePrimary) {
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
  hosts[0].ready = 0;
  hosts[1].ready = hosts[2].ready = 4;
  EXPECT_NE(hosts.ChooseForConnection(kNow, &random), 0U);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
}

TEST_F(HostSetPrefersStandby, ThePrimaryIsUsedWhenNoStandbyCanBe) {
  for (const std::size_t host : {1, 2}) {
    hosts[host].ready = 0;
    hosts[host].health.OnFailed(kNow, HostHealth::FailureKind::kUnreachable, "down", &random);
  }
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  // One of them is back.
  hosts[1].health.OnConnected(kNow);
  hosts[1].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
}

// They have changed places; what the old primary is now is found out in the course of time.
TEST_F(HostSetPrefersStandby, AStandbyThatIsPromotedIsLeft) {
  hosts[0].ready = 0;
  hosts[0].lag.OnLeft(kThen);
  Says(1, Primary(2, 2), seconds(30));
  Look(seconds(30));
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
  hosts[1].ready = 0;
  hosts[2].ready = 4;
  EXPECT_EQ(hosts.ChooseForConnection(kNow + seconds(30), &random), 2U);
  Look(seconds(61));
  EXPECT_EQ(hosts.ChooseForConnection(kNow + seconds(61), &random), 0U);
}

// The primary was connected to first, and nothing else was needed.
TEST_F(HostSetPrefersStandby, AStandbyThatNobodyHasTriedIsPreferred) {
  for (const std::size_t host : {1, 2}) hosts[host] = PoolHost(HostKind::kTcp, "new", seconds(60));
  Look();
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
  EXPECT_NE(hosts.ChooseForConnection(kNow, &random), 0U);
  for (const std::size_t host : {1, 2}) hosts[host].connecting = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(HostSetPrefersStandby, NobodyServesBeforeItIsKnownWhatItIs) {
  hosts[1].ready = 0;
  hosts[1].lag.OnLeft(kThen);
  Look();
  EXPECT_TRUE(hosts[1].barred);
  EXPECT_TRUE(hosts.MayServe(1));
  hosts[1].ready = 1;
  hosts[1].lag.OnFailed(ReplicaLag::Failure::kRefusal, kNow);
  Look();
  EXPECT_FALSE(hosts[1].barred);
}

TEST_F(HostSetPrefersStandby, WithoutThePreferenceAllAreTheSame) {
  hosts.SetPrefersStandby(false);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
}

}  // namespace
}  // namespace proxymux::pgsql
