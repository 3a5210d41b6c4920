#include "pgsql/policy/placement.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Among = Placement::Among;

class PlacementTest : public PolicyWorld {
 protected:
  PoolConnection* Choose(const Work* work, Among among = Among::kAll) {
    placement.Begin(View());
    return placement.Choose(View(), rules, *work, among);
  }

  Placement placement;
};

TEST_F(PlacementTest, TheOneWithTheLeastInFlightTakesIt) {
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  PoolConnection& first = Open();
  PoolConnection& second = Open();
  EXPECT_EQ(Choose(Lookup(Quick())), &first);
  Load(first, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), &second);
  Load(second, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), &first);
  Load(first, 3);
  EXPECT_EQ(Choose(Lookup(Quick())), &second);
  Load(second, 3);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);  // each has its four
  EXPECT_EQ(placement.session_wanted(), std::nullopt);
  EXPECT_FALSE(placement.held_back());
}

TEST_F(PlacementTest, WhatIsNoneOfItsDoesNotTakeIt) {
  PoolConnection& connection = Open();
  Work* work = Lookup(Quick());
  EXPECT_EQ(Choose(work), &connection);
  connection.SetPhase(Phase::kEmptying);
  EXPECT_EQ(Choose(work), nullptr);
  connection.SetPhase(Phase::kShared);
  work->attempts.Exhaust(0);
  EXPECT_EQ(Choose(work), nullptr);
  work->attempts.Reset(2);
  Send(connection, Quick());
  connection.cancel.OnSent(now, 1);
  EXPECT_EQ(Choose(work), nullptr);
  PoolConnection& other = Open();
  EXPECT_EQ(Choose(work), &other);
  other.Drain();
  EXPECT_EQ(Choose(work), nullptr);
}

// As behind a pooler that leaves sessions hanging when its server has gone.
TEST_F(PlacementTest, WhatWasSilentGoesToOneThatHasAnsweredSinceOneWasLost) {
  PoolConnection& first = Open(0);
  PoolConnection& second = Open(0);
  Work* work = Lookup(Quick());
  now += seconds(1);
  first.OnAnswered(now);
  second.OnAnswered(now);
  now += seconds(1);
  hosts[0].trust.OnLost(now);
  now += seconds(1);
  second.OnAnswered(now);
  Load(second, 2);
  EXPECT_EQ(Choose(work), &first) << "it has the least in flight";
  work->attempts.NoteSilence();
  EXPECT_EQ(Choose(work), &second);
  Load(second, 2);
  EXPECT_EQ(Choose(work), nullptr) << "it is full, and waited for";
  second.Drain();
  EXPECT_EQ(Choose(work), &first) << "no other is there";
  Load(first, 1);
  EXPECT_EQ(Choose(work), nullptr) << "it has its one statement";
}

TEST_F(PlacementTest, AHostOnTrialGetsOneStatement) {
  OnTrial(0);
  ASSERT_EQ(hosts[0].health.state(), HostHealth::State::kTrial);
  PoolConnection& connection = Open(0);
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
  Load(connection, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
}

TEST_F(PlacementTest, WhatEndsATrialComesFirstAndOlderConnectionsAreAsUsual) {
  PoolConnection& older = Open(0);
  PoolConnection& other = Open(1);
  now += seconds(1);
  OnTrial(0);
  Load(other, 1);
  Load(older, 2);
  EXPECT_EQ(Choose(Lookup(Quick())), &other) << "the other host is as good";
  PoolConnection& newcomer = Open(0);
  EXPECT_EQ(Choose(Lookup(Quick())), &newcomer);
}

// The others may be gone as well, and nobody knows.
TEST_F(PlacementTest, WhereAConnectionWasLostEachOtherGetsOneStatementUntilItAnswers) {
  PoolConnection& connection = Open(0);
  connection.answered = now;
  Load(connection, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
  hosts[1].trust.OnLost(now + milliseconds(1));
  EXPECT_EQ(Choose(Lookup(Quick())), &connection) << "of another host";
  hosts[0].trust.OnLost(now + milliseconds(1));
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  PoolConnection& fresh = Open(0);
  EXPECT_EQ(Choose(Lookup(Quick())), &fresh);
  Load(fresh, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  connection.answered = now + milliseconds(1);
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
}

TEST_F(PlacementTest, WhatMayBeGoneIsWaitedForAsWhatIsFull) {
  PoolConnection& tried = Open(0);
  PoolConnection& quiet = Open(0);
  quiet.answered = now;
  quiet.OnStalled();
  hosts[0].trust.OnLost(now);
  Load(tried, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  tried.answered = now;
  EXPECT_EQ(Choose(Lookup(Quick())), &tried);
}

TEST_F(PlacementTest, ThoseThatKeepQuietComeLast) {
  PoolConnection& quiet = Open();
  PoolConnection& busy = Open();
  Load(busy, 2);
  Send(quiet, Quick(), false, milliseconds(25));
  quiet.last_result = now - milliseconds(24);
  busy.last_result = now;
  EXPECT_EQ(Choose(Lookup(Quick())), &quiet);
  quiet.last_result = now - milliseconds(25);
  EXPECT_EQ(Choose(Lookup(Quick())), &busy);
  Load(busy, 2);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);  // the better one is waited for
  busy.OnStalled();
  EXPECT_EQ(Choose(Lookup(Quick())), &quiet);  // is worse than quiet
}

TEST_F(PlacementTest, TheHostCountsMoreThanTheLoad) {
  PoolConnection& suspect = Open(0);
  PoolConnection& up = Open(1);
  Load(up, 3);
  EXPECT_EQ(Choose(Lookup(Quick())), &suspect);
  hosts[0].health.OnSilent(now, "silent");
  EXPECT_EQ(Choose(Lookup(Quick())), &up);
}

TEST_F(PlacementTest, ABetterOneThatIsFullIsWaitedForWhereverItStands) {
  PoolConnection& up = Open(1);
  Open(0);
  hosts[0].health.OnSilent(now, "silent");
  Load(up, 4);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
}

TEST_F(PlacementTest, ABusyConnectionWaitsForItsMillisecond) {
  PoolConnection& connection = Open();
  Send(connection, Quick(), false, milliseconds(0));
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  EXPECT_TRUE(placement.held_back());
  placement.Begin(View());
  EXPECT_FALSE(placement.held_back());
  now += milliseconds(1);
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
  EXPECT_FALSE(placement.held_back());
  now -= milliseconds(1);
  turn -= 1;  // the batch of this turn is open still
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
}

TEST_F(PlacementTest, WhenTheOtherHasClearlyMoreTheMillisecondIsWaitedFor) {
  PoolConnection& soon = Open();
  PoolConnection& other = Open();
  Send(soon, Quick(), false, milliseconds(0));
  Send(soon, Quick(), false, milliseconds(0));
  depth = 8;
  Load(other, 3);
  EXPECT_EQ(Choose(Lookup(Quick())), &other);  // just half as much again
  Load(other, 1);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  // The one of several that has the least is waited for.
  PoolConnection& third = Open();
  for (int i = 0; i < 3; ++i) Send(third, Quick(), false, milliseconds(0));
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
}

TEST_F(PlacementTest, OnlyItsOwnConnectionsWhenAskedFor) {
  const auto table = Own();
  PoolConnection& free = Open();
  PoolConnection& owned = Open();
  owned.session.owner = table;
  Load(owned, 2);
  EXPECT_EQ(Choose(Lookup(table), Among::kOwned), &owned);
  Load(owned, 2);
  EXPECT_EQ(Choose(Lookup(table), Among::kOwned), nullptr);
  EXPECT_EQ(Choose(Lookup(table), Among::kAll), &free);
}

TEST_F(PlacementTest, WhenAllAreOtherTablesASessionIsWanted) {
  PoolConnection& owned = Open(1);
  owned.session.owner = Own();
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  EXPECT_EQ(placement.session_wanted(), 1U);
  placement.Begin(View());
  EXPECT_EQ(placement.session_wanted(), std::nullopt);
  PoolConnection& full = Open(0);
  Load(full, 4);
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
  EXPECT_EQ(placement.session_wanted(), std::nullopt);  // it waits for room only
}

TEST_F(PlacementTest, ThroughAPoolerTheBatchBeforeIsWaitedFor) {
  PoolConnection& connection = Open();
  Upstream(connection).pooled = true;
  EXPECT_EQ(Choose(Lookup(Quick())), &connection);
  Upstream(connection).all_answered = false;
  EXPECT_EQ(Choose(Lookup(Quick())), nullptr);
}

}  // namespace
}  // namespace proxymux::pgsql
