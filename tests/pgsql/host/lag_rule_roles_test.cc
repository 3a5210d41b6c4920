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
  rule.SetRoleCounts(true);
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
  rule.SetRoleCounts(true);
  rule.SetSeesAll(true);
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

}  // namespace
}  // namespace proxymux::pgsql
