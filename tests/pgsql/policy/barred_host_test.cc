// What the policies do with connections to a host that is barred (lag_rule.h): nothing is sent
// there but the question how far it is behind, and it counts for nobody's room.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "config/values/server_config.h"
#include "pgsql/host/lag_rule.h"
#include "pgsql/policy/connection_budget.h"
#include "pgsql/policy/lanes.h"
#include "pgsql/policy/placement.h"
#include "tests/pgsql/host/replica_states.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BarredHost : public PolicyWorld {
 protected:
  // Host 0 is behind, host 1 is not.
  void Bar() {
    constexpr RealTime kThen{std::chrono::hours(9)};
    rule.SetLimit(seconds(5), config::WhenAllLag::kUse, &hosts);
    rule.OnAnswered(CutOff(Standby(0, 0, seconds(60))), kThen, kThen, 0, &hosts);
    rule.OnAnswered(Standby(1, 1, milliseconds(1)), kThen, kThen, 1, &hosts);
    rule.Look(kThen, &hosts);
    ASSERT_TRUE(hosts[0].TooFarBehind());
    ASSERT_FALSE(hosts[1].barred);
  }

  LagRule rule;
};

TEST_F(BarredHost, GetsNoQuickLookupAndNoLane) {
  PoolConnection& behind = Open(0);
  Bar();
  Placement placement;
  Lanes lanes;
  placement.Begin(View());
  lanes.Begin(View());
  EXPECT_EQ(placement.Choose(View(), rules, *Lookup(Quick()), Placement::Among::kAll), nullptr);
  EXPECT_EQ(placement.Choose(View(), rules, *Question(Unknown()), Placement::Among::kAll), nullptr);
  EXPECT_EQ(lanes.Choose(View(), rules, *Lookup(Slow(milliseconds(30)))), nullptr);
  EXPECT_EQ(Placement::ChooseForLag(View(), 0), &behind);
  PoolConnection& current = Open(1);
  EXPECT_EQ(placement.Choose(View(), rules, *Lookup(Quick()), Placement::Among::kAll), &current);
}

// However sure it is that the other host is to have them all.
TEST_F(BarredHost, KeepsOneConnectionToBeAskedOn) {
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  hosts.PreferUnlessKept(1);
  Bar();
  Open(1);
  Open(0);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  Open(0);
  EXPECT_EQ(hosts.ChooseForRetirement(), 0U);
}

// Of two connections one is barred: the other is the only one, and shared with quick lookups.
TEST_F(BarredHost, ItsConnectionIsNotTheOneThatStaysForQuickLookups) {
  Open(0);
  Open(1);
  Open(1);
  Bar();
  quick_about = true;
  Lanes lanes;
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
}

TEST_F(BarredHost, MayBeAskedInASessionThatIsATablesOwn) {
  PoolConnection& connection = Open(0);
  connection.session.owner = Own();
  connection.session.changed = true;
  EXPECT_EQ(Placement::ChooseForStamp(View(), 0), nullptr);
  EXPECT_EQ(Placement::ChooseForLag(View(), 0), &connection);
  Send(connection, Slow(milliseconds(30)), /*in_lane=*/true);
  EXPECT_EQ(Placement::ChooseForLag(View(), 0), nullptr) << "behind a slow statement";
}

TEST_F(BarredHost, ItsConnectionsAreThereOnlyToAsk) {
  Open(0);
  Open(1);
  EXPECT_EQ(ConnectionBudget::OfHostsBehind(View()), 0U);
  Bar();
  EXPECT_EQ(ConnectionBudget::OfHostsBehind(View()), 1U);
  Open(0).SetPhase(Phase::kClosed);
  EXPECT_EQ(ConnectionBudget::OfHostsBehind(View()), 1U);
}

TEST_F(BarredHost, GivesUpItsConnectionWhereNoOtherHostHasOne) {
  PoolConnection& behind = Open(0);
  EXPECT_EQ(ConnectionBudget::OfOneBehind(View()), nullptr);
  Bar();
  EXPECT_EQ(ConnectionBudget::OfOneBehind(View()), &behind);
  Send(behind, Quick());
  EXPECT_EQ(ConnectionBudget::OfOneBehind(View()), nullptr) << "it owes an answer";
  behind.OnBack(behind.running());
  Open(1).SetPhase(Phase::kClosed);
  EXPECT_EQ(ConnectionBudget::OfOneBehind(View()), &behind) << "the other host has none any more";
  Open(1);
  EXPECT_EQ(ConnectionBudget::OfOneBehind(View()), nullptr);
}

TEST_F(BarredHost, GivesWayToOneThatNobodyIsConnectedTo) {
  Open(0);
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), 1U);
  Bar();
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), std::nullopt);
  hosts[1].connecting = 0;
  hosts[0].ready = 0;
  hosts[1].connecting = 1;
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), std::nullopt) << "host 0 is behind";
  hosts[0].ready = 1;
  hosts[1].connecting = 0;
  Down(1);
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), std::nullopt) << "not yet";
}

TEST_F(BarredHost, DoesNotGiveWayToOneThatIsSuspect) {
  Open(0);
  Bar();
  hosts[1].health.OnSilent(now, "silent");
  ASSERT_EQ(hosts[1].health.state(), HostHealth::State::kSuspect);
  EXPECT_EQ(ConnectionBudget::HostNotBehind(hosts, now), std::nullopt);
}

TEST_F(BarredHost, AConnectionToItIsIdleForLongAsAnyOther) {
  PoolConnection& connection = Open(0);
  connection.last_used = now;
  Bar();
  now += seconds(60) - milliseconds(1);
  EXPECT_FALSE(ConnectionBudget::IdleForLong(View(), connection, seconds(60)));
  now += milliseconds(1);
  EXPECT_TRUE(ConnectionBudget::IdleForLong(View(), connection, seconds(60)));
}

// The name, or the pooler, may lead to the new primary by now.
TEST_F(BarredHost, AConnectionToOneThatIsApartIsReplacedSooner) {
  constexpr RealTime kThen{std::chrono::hours(9)};
  PoolConnection& connection = Open(0);
  PoolConnection& other = Open(1);
  rule.SetWanted(LagRule::Wanted::kPrimary);
  rule.OnAnswered(Primary(200, 1), kThen, kThen, 0, &hosts);
  rule.OnAnswered(Primary(100, 2), kThen, kThen, 1, &hosts);
  rule.Look(kThen, &hosts);
  ASSERT_TRUE(hosts[0].lag.Apart());
  now += seconds(30) - milliseconds(1);
  connection.last_used = other.last_used = now;
  EXPECT_FALSE(ConnectionBudget::IdleForLong(View(), connection, seconds(60)));
  now += milliseconds(1);
  EXPECT_TRUE(ConnectionBudget::IdleForLong(View(), connection, seconds(60)));
  EXPECT_FALSE(ConnectionBudget::IdleForLong(View(), other, seconds(60)));
}

// A table's own connection to it is no room for the table.
TEST_F(BarredHost, DoesNotCountAmongTheConnectionsOfATable) {
  const auto table = Own();
  Open(0).session.owner = table;
  Bar();
  PoolConnection& current = Open(1);
  EXPECT_TRUE(rules.MayTake(View(), current, *Lookup(table)));
}

}  // namespace
}  // namespace proxymux::pgsql
