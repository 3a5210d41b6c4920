// Which hosts are used where it counts how far they are behind.
#include "pgsql/host/lag_rule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/outage.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/host_spec.h"
#include "tests/pgsql/host/lag_rule_fixture.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

// Mirrors that are no copies of each other: positions in one log say nothing of another.
TEST_F(HostSetLag, EachClusterHasALogOfItsOwn) {
  ReplicaState another = Standby(2000, 2000, milliseconds(1));
  another.system = 8;
  Says(0, Primary(1000));
  Says(1, another);
  Says(0, Primary(1000), seconds(1));
  Look(seconds(1));
  EXPECT_FALSE(hosts[1].barred) << hosts[1].lag.Why();
}

// It may have caught up, and is to be asked: until then the outage goes on.
TEST_F(HostSetLag, AnOutageIsNotOverBecauseWhatWasSaidIsOld) {
  hosts.SetOutageWait(seconds(60));
  Behind(0);
  Behind(1);
  Look();
  ASSERT_TRUE(hosts.outage().waiting());
  Look(seconds(20));
  EXPECT_FALSE(hosts[0].TooFarBehind());
  EXPECT_TRUE(hosts.outage().waiting());
}

// Without a limit one is asked to show how far it is behind, and another time is as good.
TEST_F(HostSetLag, WhoCouldNotBeAskedIsAskedAgainWhenTheLimitGoes) {
  hosts[1].lag.OnAsked(kNow);
  hosts[1].lag.OnFailed(ReplicaLag::Failure::kRefusal, kNow);
  hosts[1].lag.OnBack();
  EXPECT_FALSE(hosts[1].lag.ShouldAsk(kNow + seconds(10), kLimit));
  rule.SetLimit({}, config::WhenAllLag::kRetry, &hosts);
  EXPECT_TRUE(hosts[1].lag.ShouldAsk(kNow + seconds(10), {}));
}

}  // namespace
}  // namespace proxymux::pgsql
