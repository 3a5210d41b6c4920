// Which hosts are used where the role of a server counts, without a limit to how far one is behind.
#include <gtest/gtest.h>

#include <chrono>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/lag_rule.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/runtime/event_loop.h"
#include "tests/pgsql/host/lag_rule_fixture.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using HostSetRoles = HostSetLag;

TEST_F(HostSetRoles, OneThatWasReplacedIsNotUsedWhereItsRoleCountsWithoutALimit) {
  rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
  Says(0, Primary(200, 1));
  Says(1, Primary(100, 2));
  Look();
  EXPECT_FALSE(hosts[0].barred) << "any server may answer";
  rule.SetWanted(LagRule::Wanted::kPreferStandby);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_FALSE(hosts[1].barred);
  Down(1);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
}

TEST_F(HostSetRoles, WhereAllHaveToBeSeenThoseThatNobodyNeedsAreSeenNowAndThen) {
  rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
  Says(0, Primary(200, 1));
  Look();
  EXPECT_FALSE(rule.Unseen(hosts[1], kThen));
  rule.SetWanted(LagRule::Wanted::kPrimary);
  Look();
  EXPECT_FALSE(rule.Unseen(hosts[1], kThen)) << "it is connected to, and asked";
  hosts[1].ready = 0;
  Look();
  EXPECT_TRUE(rule.Unseen(hosts[1], kThen));
  Says(1, Primary(200, 1));
  EXPECT_FALSE(rule.Unseen(hosts[1], kThen + seconds(30) - milliseconds(1)));
  EXPECT_TRUE(rule.Unseen(hosts[1], kThen + seconds(30)));
  hosts[1].lag.OnFailed(ReplicaLag::Failure::kRefusal, kNow);
  EXPECT_FALSE(rule.Unseen(hosts[1], kThen + seconds(30))) << "it cannot say what it is";
}

// As on a session that a pooler kept when the server behind it was demoted.
TEST_F(HostSetRoles, AStandbyIsNotUsedWherePrimariesAreWantedAndAnotherIsOne) {
  rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
  Says(0, Standby(100, 100));
  Says(1, Primary(100, 2));
  Look();
  EXPECT_FALSE(hosts[0].barred) << "any server may answer";
  rule.SetWanted(LagRule::Wanted::kPreferStandby);
  Look();
  EXPECT_FALSE(hosts[0].barred);
  rule.SetWanted(LagRule::Wanted::kPrimary);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind());
  EXPECT_FALSE(hosts[1].barred);
  EXPECT_EQ(hosts[0].lag.Why(),
            "it is a standby, and another host is the primary (target_session_attrs)");
  Down(1);
  Look();
  EXPECT_TRUE(hosts[0].TooFarBehind()) << "the primary may be back";
  Says(0, Primary(110, 3), seconds(1));
  Look(seconds(1));
  EXPECT_FALSE(hosts[0].barred);
}

// A pooler that sends each question to another server is as good as it was.
TEST_F(HostSetRoles, WhereNobodySaysThatItIsThePrimaryAnyHostIsUsed) {
  rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
  rule.SetWanted(LagRule::Wanted::kPrimary);
  Says(0, Standby(100, 100));
  Says(1, Primary(100, 2));
  Look();
  Says(1, Standby(100, 100), seconds(1));
  Look(seconds(1));
  EXPECT_FALSE(hosts[0].barred);
  EXPECT_FALSE(hosts[1].barred);
}

// It may be gone for good, and what is left be the only one that answers.
TEST_F(HostSetRoles, APrimaryThatWasNotHeardForTenMinutesDoesNotCountAgainstAStandby) {
  rule.SetLimit(Duration::zero(), config::WhenAllLag::kUse, &hosts);
  rule.SetWanted(LagRule::Wanted::kPrimary);
  Says(0, Standby(100, 100));
  Says(1, Primary(100, 2));
  Look(seconds(599));
  EXPECT_TRUE(hosts[0].TooFarBehind());
  Look(seconds(600));
  EXPECT_FALSE(hosts[0].barred);
}

}  // namespace
}  // namespace proxymux::pgsql
