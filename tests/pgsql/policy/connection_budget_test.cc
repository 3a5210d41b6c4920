#include "pgsql/policy/connection_budget.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConnectionBudgetTest : public PolicyWorld {
 protected:
  PoolConnection& Connecting(std::size_t host) {
    connections.push_back(
        std::make_unique<PoolConnection>(connections.size() + 1, host, now, nullptr));
    return *connections.back();
  }
  std::size_t Depth(std::size_t outstanding, std::size_t wanted) const {
    return ConnectionBudget::Depth(View(), 32, outstanding, wanted);
  }
  // A connection that a table has had for itself for a second.
  PoolConnection& Owned(std::size_t host) {
    PoolConnection& connection = Open(host);
    connection.session.owner = Own();
    connection.session.owned_since = now - seconds(1);
    connection.session.changed = true;
    return connection;
  }
  ConnectionBudget::SessionRoom Room(std::size_t host) const {
    return ConnectionBudget::RoomForSession(View(), host);
  }
};

TEST_F(ConnectionBudgetTest, OneIsKeptToFindOutWhenAHostComesBack) {
  EXPECT_EQ(ConnectionBudget::Usable(4, hosts), 4U);
  Down(1);
  EXPECT_EQ(ConnectionBudget::Usable(4, hosts), 3U);
  EXPECT_EQ(ConnectionBudget::Usable(2, hosts), 1U);
  EXPECT_EQ(ConnectionBudget::Usable(1, hosts), 1U);
}

TEST_F(ConnectionBudgetTest, WhatIsClosedIsNotOpen) {
  Open();
  Connecting(0);
  Open().Drain();
  EXPECT_EQ(ConnectionBudget::Open(View()), 3U);
  connections[0]->SetPhase(Phase::kClosed);
  EXPECT_EQ(ConnectionBudget::Open(View()), 2U);
}

TEST_F(ConnectionBudgetTest, WhileConnectionsAreComingEachTakesItsShare) {
  Open();
  EXPECT_EQ(Depth(100, 1), 32U);
  EXPECT_EQ(Depth(100, 4), 25U);  // three more are about to be opened
  EXPECT_EQ(Depth(101, 4), 26U);
  EXPECT_EQ(Depth(1000, 4), 32U);
  EXPECT_EQ(Depth(0, 4), 1U);
  PoolConnection& coming = Connecting(1);
  EXPECT_EQ(Depth(10, 2), 5U);
  EXPECT_EQ(Depth(10, 1), 5U);
  now += milliseconds(250);
  EXPECT_EQ(Depth(10, 1), 32U);  // it hangs
  now -= milliseconds(250);
  hosts[1].health.OnSilent(now, "silent");
  EXPECT_EQ(Depth(10, 1), 32U);  // it may never come
  coming.SetPhase(Phase::kClosed);
  hosts[1].health.OnAnswered(now, now);
  EXPECT_EQ(Depth(10, 1), 32U);
  EXPECT_EQ(Depth(10, 2), 5U);  // one is open, and another one will be
}

TEST_F(ConnectionBudgetTest, WhenNoHostMayBeConnectedToNoneIsComing) {
  Open();
  Down(0);
  Down(1);
  EXPECT_EQ(Depth(100, 4), 32U);
}

TEST_F(ConnectionBudgetTest, AnAttemptIsOverdueAfterAQuarterOfASecond) {
  PoolConnection& ready = Open();
  PoolConnection& coming = Connecting(0);
  now += milliseconds(249);
  EXPECT_FALSE(ConnectionBudget::Overdue(View(), coming));
  now += milliseconds(1);
  EXPECT_TRUE(ConnectionBudget::Overdue(View(), coming));
  EXPECT_FALSE(ConnectionBudget::Overdue(View(), ready));
}

TEST_F(ConnectionBudgetTest, BeyondTheLimitTheLatestEnd) {
  PoolConnection& first = Open();
  Open();
  PoolConnection& third = Open();
  EXPECT_EQ(ConnectionBudget::Surplus(View(), 3), nullptr);
  EXPECT_EQ(ConnectionBudget::Surplus(View(), 2), &third);
  third.Drain();
  EXPECT_EQ(ConnectionBudget::Surplus(View(), 2), nullptr);
  first.SetPhase(Phase::kClosed);
  PoolConnection& coming = Connecting(0);
  EXPECT_EQ(ConnectionBudget::Surplus(View(), 1), nullptr);  // is not ready yet
  coming.SetPhase(Phase::kShared);
  EXPECT_EQ(ConnectionBudget::Surplus(View(), 1), &coming);
}

TEST_F(ConnectionBudgetTest, TheLeastBusyOneIsGivenUpOneAtATime) {
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), std::nullopt), nullptr);
  Connecting(0);
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), std::nullopt), nullptr);
  PoolConnection& busy = Open(0);
  PoolConnection& idle = Open(1);
  PoolConnection& busiest = Open(0);
  Send(busy, Quick());
  Send(busiest, Quick());
  Send(busiest, Quick());
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), std::nullopt), &idle);
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), 0), &busy);
  Send(idle, Quick());
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), std::nullopt), &busy);  // the first of equals
  idle.Drain();
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), std::nullopt), nullptr);
  EXPECT_EQ(ConnectionBudget::LeastBusy(View(), 0), nullptr);
}

TEST_F(ConnectionBudgetTest, AnIdleConnectionOfASuspectHostMakesRoomForItsTest) {
  PoolConnection& idle = Open(0);
  Open(1);
  EXPECT_EQ(ConnectionBudget::Untested(View(), 0), nullptr);
  hosts[0].health.OnSilent(now, "silent");
  EXPECT_EQ(ConnectionBudget::Untested(View(), 0), &idle);
  EXPECT_EQ(ConnectionBudget::Untested(View(), 1), nullptr);
  Send(idle, Quick());
  EXPECT_EQ(ConnectionBudget::Untested(View(), 0), nullptr);
  Connecting(0);
  EXPECT_EQ(ConnectionBudget::Untested(View(), 0), nullptr);
}

TEST_F(ConnectionBudgetTest, ASilentOneMakesRoomWhenItHasReadsOnly) {
  PoolConnection& silent = Open(1);
  Work* work = Send(silent, Quick());
  EXPECT_EQ(ConnectionBudget::Silent(View(), std::nullopt), nullptr);
  silent.OnStalled();
  EXPECT_EQ(ConnectionBudget::Silent(View(), std::nullopt), &silent);
  EXPECT_EQ(ConnectionBudget::Silent(View(), 1), &silent);
  EXPECT_EQ(ConnectionBudget::Silent(View(), 0), nullptr);
  work->needs.may_write = true;
  EXPECT_EQ(ConnectionBudget::Silent(View(), std::nullopt), nullptr);
  work->needs.may_write = false;
  silent.OnBack(work);
  silent.SetPhase(Phase::kClosed);
  EXPECT_EQ(ConnectionBudget::Silent(View(), std::nullopt), nullptr);
}

TEST_F(ConnectionBudgetTest, RoomForASessionIsComingWhereAConnectionIs) {
  EXPECT_FALSE(Room(0).coming);
  Connecting(1);
  EXPECT_TRUE(Room(0).coming);
  now += milliseconds(250);
  EXPECT_FALSE(Room(0).coming) << "that one hangs";
  Connecting(1);
  EXPECT_TRUE(Room(0).coming) << "this one may come";
  hosts[1].health.OnSilent(now, "silent");
  EXPECT_FALSE(Room(0).coming);
}

TEST_F(ConnectionBudgetTest, OrWhereOneIsOnItsWayOut) {
  PoolConnection& owned = Owned(0);
  Work* work = Send(owned, owned.session.owner);
  EXPECT_FALSE(Room(0).coming);
  owned.Drain();
  EXPECT_TRUE(Room(0).coming);
  EXPECT_EQ(Room(0).victim, nullptr);
  owned.OnStalled();
  EXPECT_FALSE(Room(0).coming);  // that one may take long
  owned.OnAnswered(now);
  owned.OnBack(work);
  Send(owned, owned.session.owner, /*in_lane=*/true);
  EXPECT_FALSE(Room(0).coming);
}

TEST_F(ConnectionBudgetTest, OnlyATablesOwnConnectionIsTheVictim) {
  Open(0);
  EXPECT_EQ(Room(0).victim, nullptr);
  PoolConnection& owned = Owned(0);
  EXPECT_EQ(Room(0).victim, &owned);
  EXPECT_FALSE(Room(0).coming);
}

TEST_F(ConnectionBudgetTest, WhatIsLentIsSoonGivenBack) {
  PoolConnection& lent = Owned(0);
  lent.session.changed = false;
  lent.session.owned_since = now - milliseconds(249);
  EXPECT_EQ(Room(0).victim, nullptr);
  lent.session.owned_since = now - milliseconds(250);
  EXPECT_EQ(Room(0).victim, &lent);
  lent.session.owned_since = now;
  lent.session.changed = true;
  EXPECT_EQ(Room(0).victim, &lent);
}

TEST_F(ConnectionBudgetTest, TheVictimIsOfThatHostThenQuickThenNotBusyThenLongUnused) {
  PoolConnection& elsewhere = Owned(1);
  PoolConnection& slow = Owned(0);
  Send(slow, slow.session.owner, /*in_lane=*/true);
  EXPECT_EQ(Room(0).victim, &slow);
  EXPECT_EQ(Room(1).victim, &elsewhere);
  PoolConnection& stalled = Owned(0);
  stalled.OnStalled();
  PoolConnection& busy = Owned(0);
  Send(busy, busy.session.owner);
  EXPECT_EQ(Room(0).victim, &busy);
  PoolConnection& idle = Owned(0);
  EXPECT_EQ(Room(0).victim, &idle);
  PoolConnection& unused = Owned(0);
  unused.last_used = now - seconds(1);
  EXPECT_EQ(Room(0).victim, &unused);
}

TEST_F(ConnectionBudgetTest, AHostOnTrialGetsAnotherConnectionWhenAllThatItHasAreStalled) {
  hosts.SetOutageWait(seconds(5));
  hosts[0].trust.OnNotMade(now);
  OnTrial(0);
  Open(1);
  Open(0).SetPhase(Phase::kClosed);
  PoolConnection& stalled = Open(0);
  Send(stalled, Quick())->kind = Work::Kind::kStamp;
  const auto beside = [this](std::size_t limit) {
    return ConnectionBudget::BesideSilent(View(), 0, limit, seconds(1));
  };
  EXPECT_FALSE(beside(3).due);
  stalled.OnStalled();
  EXPECT_TRUE(beside(3).due);
  EXPECT_EQ(beside(3).in_place_of, nullptr);
  EXPECT_FALSE(beside(2).due) << "there is no room, and it may answer yet";
  stalled.last_result = {};
  EXPECT_EQ(beside(2).in_place_of, &stalled);
}

}  // namespace
}  // namespace proxymux::pgsql
