#include "pgsql/policy/lanes.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LanesTest : public PolicyWorld {
 protected:
  LanesTest() { quick_about = true; }

  PoolConnection* Choose(const Work* work) { return lanes.Choose(View(), rules, *work); }
  // The slow statement goes there.
  void Take(PoolConnection& lane, const std::shared_ptr<TableBinding>& table) {
    lane.lane_table = table.get();
    if (lane.phase() == Phase::kEmptying) lane.SetPhase(Phase::kLane);
    Send(lane, table, /*in_lane=*/true);
  }

  const std::shared_ptr<TableBinding> slow = Slow(milliseconds(30));
  const std::shared_ptr<TableBinding> other = Slow(milliseconds(30));
  Lanes lanes;
};

TEST_F(LanesTest, OneConnectionStaysForQuickLookups) {
  PoolConnection& first = Open();
  PoolConnection& second = Open();
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  EXPECT_EQ(Choose(Lookup(slow)), &first);
  EXPECT_EQ(first.phase(), Phase::kEmptying);
  EXPECT_FALSE(lanes.reserved());
  Take(first, slow);
  EXPECT_EQ(lanes.left(), 0U);
  EXPECT_EQ(Choose(Lookup(other)), nullptr);
  EXPECT_FALSE(lanes.reserved());
  EXPECT_EQ(second.phase(), Phase::kShared);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  quick_about = false;
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  EXPECT_EQ(Choose(Lookup(other)), &second);
}

TEST_F(LanesTest, TheOnlyConnectionIsSharedWhenThereWillNotBeAnother) {
  Open();
  usable = 1;
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  usable = 2;  // another one may be opened
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  for (std::size_t host = 0; host < 2; ++host) {
    hosts[host].health.OnFailed(now, HostHealth::FailureKind::kUnreachable, "down", &random);
  }
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);  // but to no host
}

TEST_F(LanesTest, AConnectionThatIsComingCountsUnlessItsHostIsInDoubt) {
  Open(0);
  usable = 2;
  connections.push_back(std::make_unique<PoolConnection>(2, 1, now, nullptr));
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  hosts[1].health.OnSilent(now, "silent");
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  hosts[1].health.OnAnswered(now, now);
  connections.back()->SetPhase(Phase::kClosed);
  usable = 1;
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);  // that one is not coming any more
}

TEST_F(LanesTest, WhoDoesNotAnswerIsNotCounted) {
  Open();
  Open();
  Open().stalled = true;
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
}

TEST_F(LanesTest, ALaneTakesMoreOfItsTableOnly) {
  Open();
  PoolConnection& lane = Open(0, Phase::kEmptying);
  Take(lane, slow);
  lanes.Begin(View());
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(Choose(Lookup(other)), nullptr);
    EXPECT_EQ(Choose(Lookup(slow)), &lane);
    Take(lane, slow);
  }
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);  // it has four
  lane.OnBack(lane.running());
  EXPECT_EQ(Choose(Lookup(slow)), &lane);
  lanes.OneEach();
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  while (!lane.idle()) lane.OnBack(lane.running());
  EXPECT_EQ(Choose(Lookup(other)), &lane);
}

TEST_F(LanesTest, ALaneHasNoMoreThanAnyConnection) {
  Open();
  PoolConnection& lane = Open(0, Phase::kEmptying);
  Take(lane, slow);
  depth = 1;
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
}

TEST_F(LanesTest, WhatTakesLongWithoutDoubtOrWasNeverMeasuredIsAlone) {
  const auto never = Quick();
  never->service_time = {};
  const auto script =
      PoolWorld::Table("SELECT 1; SELECT v FROM t WHERE k = '%s'", WriteClass::kReads);
  Open();
  PoolConnection& lane = Open(0, Phase::kEmptying);
  for (const auto& table : {Slow(milliseconds(100)), never, script}) {
    Take(lane, table);
    lanes.Begin(View());
    EXPECT_EQ(Choose(Lookup(table)), nullptr);
    lane.OnBack(lane.running());
  }
  const auto nearly = Slow(milliseconds(99));
  Take(lane, nearly);
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(nearly)), &lane);
}

TEST_F(LanesTest, WhenNoneIsKeptForQuickOnesEachLaneHasOne) {
  PoolConnection& first = Open(0, Phase::kEmptying);
  PoolConnection& second = Open();
  Take(first, slow);
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), &first);
  quick_about = false;
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), &second);
}

// A flood that came while they were away has all; they are back.
TEST_F(LanesTest, MoreLanesThanAllowedHaveOneEach) {
  for (int i = 0; i < 2; ++i) Take(Open(0, Phase::kEmptying), slow);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  for (int i = 0; i < 2; ++i) Take(*connections[i], slow);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);  // nor fewer than none
}

TEST_F(LanesTest, TheLastConnectionIsLentWhenAllOthersHaveOneStatement) {
  PoolConnection& lane = Open(0, Phase::kEmptying);
  Open();
  quick_about = false;
  Take(lane, slow);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  Take(lane, slow);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  Open();
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
}

TEST_F(LanesTest, ABusyConnectionRunsEmptyFirst) {
  PoolConnection& busy = Open();
  PoolConnection& busier = Open();
  Send(busy, Quick());
  Send(busier, Quick());
  Send(busier, Quick());
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  EXPECT_TRUE(lanes.reserved());
  EXPECT_EQ(busy.phase(), Phase::kEmptying);
  EXPECT_EQ(busier.phase(), Phase::kShared);
  EXPECT_EQ(lanes.left(), 0U);
  EXPECT_EQ(Choose(Lookup(other)), nullptr);  // that one is awaited by somebody
  EXPECT_FALSE(lanes.reserved());
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(other)), nullptr);  // in the next turn by whoever comes first
  EXPECT_TRUE(lanes.reserved());
  busy.OnBack(busy.running());
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), &busy);
}

TEST_F(LanesTest, AnIdleConnectionTakesThePlaceOfOneThatIsRunningEmpty) {
  PoolConnection& emptying = Open(0, Phase::kEmptying);
  Send(emptying, Quick());
  PoolConnection& idle = Open();
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  EXPECT_EQ(Choose(Lookup(slow)), &idle);
  EXPECT_EQ(emptying.phase(), Phase::kShared);
  EXPECT_EQ(idle.phase(), Phase::kEmptying);
}

TEST_F(LanesTest, AnIdleConnectionIsBetterThanALaneThatHasSome) {
  Open();
  Open();
  PoolConnection& lane = Open(0, Phase::kEmptying);
  Take(lane, slow);
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 1U);
  EXPECT_EQ(Choose(Lookup(slow)), connections[0].get());
  Send(*connections[0], Quick());
  Send(*connections[1], Quick());
  EXPECT_EQ(Choose(Lookup(slow)), &lane);
}

TEST_F(LanesTest, WhatIsNoneOfItsDoesNotTakeIt) {
  usable = 1;
  PoolConnection& connection = Open();
  Work* work = Lookup(slow);
  work->attempts.Exhaust(0);
  lanes.Begin(View());
  EXPECT_EQ(Choose(work), nullptr);
  work->attempts.Reset(2);
  hosts[0].health.OnFailed(now, HostHealth::FailureKind::kUnreachable, "down", &random);
  hosts[0].health.OnConnected(now);
  Work* first = Send(connection, Quick());
  EXPECT_EQ(Choose(work), nullptr);  // on trial
  EXPECT_EQ(connection.phase(), Phase::kShared);
  hosts[0].health.OnAnswered(now, now);
  first->wire.protocol = Protocol::kSimple;
  EXPECT_EQ(Choose(work), nullptr);
  EXPECT_FALSE(lanes.reserved());
  first->wire.protocol = Protocol::kExtended;
  connection.cancel.OnSent(now, 1);
  EXPECT_EQ(Choose(work), nullptr);
  EXPECT_FALSE(lanes.reserved());
  EXPECT_EQ(lanes.session_wanted(), std::nullopt);
}

TEST_F(LanesTest, WhenAllAreOtherTablesASessionIsWanted) {
  PoolConnection& owned = Open(1);
  owned.session.owner = Own();
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  EXPECT_EQ(lanes.session_wanted(), 1U);
  lanes.Begin(View());
  EXPECT_EQ(lanes.session_wanted(), std::nullopt);
  Open(0);
  Choose(Lookup(slow));
  EXPECT_EQ(lanes.session_wanted(), std::nullopt);
}

TEST_F(LanesTest, ThroughAPoolerTheBatchBeforeIsWaitedFor) {
  usable = 1;
  PoolConnection& connection = Open();
  Upstream(connection).pooled = true;
  Upstream(connection).all_answered = false;
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  EXPECT_TRUE(lanes.reserved());
  EXPECT_EQ(connection.phase(), Phase::kEmptying);
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  Upstream(connection).all_answered = true;
  EXPECT_EQ(Choose(Lookup(slow)), &connection);
}

TEST_F(LanesTest, WhatMayBeGoneIsNotWaitedFor) {
  PoolConnection& gone = Open(0);
  PoolConnection& busy = Open(0);
  busy.answered = now;
  hosts[0].trust.OnLost(now);
  Send(gone, Quick());
  for (int i = 0; i < 2; ++i) Send(busy, Quick());
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  EXPECT_EQ(busy.phase(), Phase::kEmptying);
  EXPECT_EQ(gone.phase(), Phase::kShared);
}

TEST_F(LanesTest, NorWhereItWasToRunEmpty) {
  PoolConnection& gone = Open(0, Phase::kEmptying);
  PoolConnection& busy = Open(0);
  Open(0).answered = busy.answered = now;
  hosts[0].trust.OnLost(now);
  Send(gone, Quick());
  Send(busy, Quick());
  lanes.Begin(View());
  EXPECT_NE(Choose(Lookup(slow)), nullptr);
  gone.stalled = true;
  hosts[0].trust = {};
  lanes.Begin(View());
  Choose(Lookup(slow));
  EXPECT_FALSE(gone.turn.awaited);
}

TEST_F(LanesTest, TheBetterOneBegins) {
  PoolConnection& first = Open();
  PoolConnection& second = Open();
  first.turn.reluctance = 1;
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), &second);
}

TEST_F(LanesTest, ThatHaveNothingToDoEnd) {
  PoolConnection& lane = Open(0, Phase::kLane);
  PoolConnection& emptying = Open(0, Phase::kEmptying);
  PoolConnection& shared = Open();
  Work* work = Send(lane, slow, /*in_lane=*/true);
  Lanes::EndUnused(View());
  EXPECT_EQ(lane.phase(), Phase::kLane);
  EXPECT_EQ(emptying.phase(), Phase::kShared);
  lane.OnBack(work);
  emptying.SetPhase(Phase::kEmptying);
  Lanes::EndIdle(View());
  EXPECT_EQ(lane.phase(), Phase::kShared);
  EXPECT_EQ(emptying.phase(), Phase::kEmptying);  // somebody waits for it
  EXPECT_EQ(shared.phase(), Phase::kShared);
  Work* quick = Send(emptying, Quick());
  Lanes::EndUnused(View());
  EXPECT_EQ(emptying.phase(), Phase::kEmptying);
  emptying.OnBack(quick);
  Lanes::EndUnused(View());
  EXPECT_EQ(emptying.phase(), Phase::kShared);
}

TEST_F(LanesTest, OnASingleConnectionSlowAndQuickOnesTakeTurns) {
  EXPECT_FALSE(Lanes::SlowFirst(View(), true));
  PoolConnection& only = Open();
  EXPECT_FALSE(Lanes::SlowFirst(View(), false));
  EXPECT_TRUE(Lanes::SlowFirst(View(), true));
  Work* quick = Send(only, Quick());
  EXPECT_FALSE(Lanes::SlowFirst(View(), true));
  only.SetPhase(Phase::kEmptying);
  EXPECT_FALSE(Lanes::SlowFirst(View(), false));
  only.OnBack(quick);
  EXPECT_TRUE(Lanes::SlowFirst(View(), false));
  only.SetPhase(Phase::kShared);
  connections.push_back(std::make_unique<PoolConnection>(2, 1, now, nullptr));  // is being opened
  EXPECT_FALSE(Lanes::SlowFirst(View(), false));
  connections.back()->SetPhase(Phase::kShared);
  EXPECT_TRUE(Lanes::SlowFirst(View(), false));
}

}  // namespace
}  // namespace proxymux::pgsql
