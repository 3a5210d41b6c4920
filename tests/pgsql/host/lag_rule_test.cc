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
constexpr Duration kLimit = seconds(5);

class HostSetLag : public testing::Test {
 protected:
  explicit HostSetLag(std::size_t count = 2) : hosts(Make(count)) {
    for (std::size_t i = 0; i < count; ++i) {
      hosts[i].health.OnConnected(kNow);
      hosts[i].ready = 1;
    }
    rule.SetLimit(kLimit, config::WhenAllLag::kRetry);
  }
  static HostSet Make(std::size_t count) {
    std::vector<PoolHost> hosts;
    for (std::size_t i = 0; i < count; ++i) hosts.emplace_back(HostKind::kTcp, "host", seconds(60));
    return HostSet(std::move(hosts));
  }
  void Behind(std::size_t host) { Says(host, CutOff(Standby(0, 0, seconds(60))), kNow); }
  void Current(std::size_t host) { Says(host, Standby(1, 1), kNow); }

  void Says(std::size_t host, const ReplicaState& state, Time asked) {
    rule.OnAnswered(state, asked, &hosts[host]);
  }

  HostSet hosts;
  LagRule rule;
  std::minstd_rand random{5};
};

TEST_F(HostSetLag, WhatIsNotKnownYetIsBarredAndMayServeSoon) {
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts[0].barred);
  EXPECT_TRUE(hosts.MayServe(0));
  EXPECT_FALSE(hosts[0].TooFarBehind());
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt) << "one connection each";
  Current(0);
  rule.Look(kNow, &hosts);
  EXPECT_FALSE(hosts[0].barred);
  EXPECT_TRUE(hosts[1].barred);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(HostSetLag, OneThatIsBehindKeepsOneConnectionAndServesNobody) {
  Behind(0);
  Current(1);
  hosts[0].ready = 3;
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_FALSE(hosts.MayServe(0));
  EXPECT_TRUE(hosts.Alone(1));
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  Current(0);
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts.MayServe(0));
}

TEST_F(HostSetLag, WhenAllAreBehindTheyAreUsedIfThatIsWanted) {
  Behind(0);
  Behind(1);
  rule.Look(kNow, &hosts);
  EXPECT_FALSE(hosts.AnyMayServe());
  EXPECT_TRUE(hosts.AllDown());
  rule.SetLimit(kLimit, config::WhenAllLag::kUse);
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts.MayServe(0));
  EXPECT_TRUE(hosts.MayServe(1));
  EXPECT_FALSE(hosts.AllDown());
  Current(1);
  rule.Look(kNow, &hosts);
  EXPECT_FALSE(hosts.MayServe(0));
}

// The other one is away, and nobody knows for how long.
TEST_F(HostSetLag, OneThatIsBehindIsUsedWhenNoOtherCanBeReached) {
  rule.SetLimit(kLimit, config::WhenAllLag::kUse);
  Behind(0);
  Current(1);
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts[0].TooFarBehind());
  hosts[1].ready = 0;
  hosts[1].health.OnFailed(kNow, HostHealth::FailureKind::kUnreachable, "down", &random);
  rule.Look(kNow, &hosts);
  EXPECT_FALSE(hosts[0].TooFarBehind());
}

TEST_F(HostSetLag, WithRetryItIsAnOutageThatMayPass) {
  hosts.SetOutageWait(seconds(5));
  Behind(0);
  Behind(1);
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts.LookForOutage(kNow));
  EXPECT_TRUE(hosts.outage().waiting());
  EXPECT_TRUE(hosts.AnyMayServe());
  hosts.LookForOutage(kNow + seconds(5));
  EXPECT_FALSE(hosts.AnyMayServe());
  Current(1);
  rule.Look(kNow, &hosts);
  EXPECT_TRUE(hosts.LookForOutage(kNow + seconds(5)));
  EXPECT_EQ(hosts.outage().state(), Outage::State::kNone);
}

TEST_F(HostSetLag, TheFavouriteIsLeftWhenItIsBehind) {
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  Current(0);
  Current(1);
  rule.Look(kNow, &hosts);
  const std::size_t favourite = *hosts.ChooseForConnection(kNow, &random);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), favourite);
  Behind(favourite);
  rule.Look(kNow, &hosts);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1 - favourite);
}

class HostSetPrefersStandby : public HostSetLag {
 protected:
  HostSetPrefersStandby() : HostSetLag(3) {
    rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse);
    hosts.SetPrefersStandby(true);
    Says(0, Primary(1), kNow);
    Current(1);
    Current(2);
    rule.Look(kNow, &hosts);
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
  hosts[1].health.OnAnswered(kNow);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
}

// They have changed places; what the old primary is now is found out in the course of time.
TEST_F(HostSetPrefersStandby, AStandbyThatIsPromotedIsLeft) {
  hosts[0].ready = 0;
  hosts[0].lag.OnLeft();
  Says(1, Primary(2, 2), kNow + seconds(30));
  rule.Look(kNow + seconds(30), &hosts);
  EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
  hosts[1].ready = 0;
  hosts[2].ready = 4;
  EXPECT_EQ(hosts.ChooseForConnection(kNow + seconds(30), &random), 2U);
  rule.Look(kNow + seconds(61), &hosts);
  EXPECT_EQ(hosts.ChooseForConnection(kNow + seconds(61), &random), 0U);
}

TEST_F(HostSetPrefersStandby, WithoutThePreferenceAllAreTheSame) {
  hosts.SetPrefersStandby(false);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
}

}  // namespace
}  // namespace proxymux::pgsql
