// Which hosts are used where a standby is preferred to the primary.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>

#include "config/values/server_config.h"
#include "pgsql/host/host_health.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/host_spec.h"
#include "tests/pgsql/host/lag_rule_fixture.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

class HostSetPrefersStandby : public HostSetLag {
 protected:
  HostSetPrefersStandby() : HostSetLag(3) {
    rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
    rule.SetWanted(LagRule::Wanted::kPreferStandby);
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
  for (const std::size_t host : {1, 2}) Down(host);
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
