// Which connection a slow statement goes to, and which one runs empty for it.
#include <gtest/gtest.h>

#include <optional>

#include "pgsql/policy/lanes.h"
#include "tests/pgsql/policy/lanes_world.h"

namespace proxymux::pgsql {
namespace {

class LaneChoiceTest : public LanesWorld {};

TEST_F(LaneChoiceTest, ABusyConnectionRunsEmptyFirst) {
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

TEST_F(LaneChoiceTest, AnIdleConnectionTakesThePlaceOfOneThatIsRunningEmpty) {
  PoolConnection& emptying = Open(0, Phase::kEmptying);
  Send(emptying, Quick());
  PoolConnection& idle = Open();
  lanes.Begin(View());
  EXPECT_EQ(lanes.left(), 0U);
  EXPECT_EQ(Choose(Lookup(slow)), &idle);
  EXPECT_EQ(emptying.phase(), Phase::kShared);
  EXPECT_EQ(idle.phase(), Phase::kEmptying);
}

TEST_F(LaneChoiceTest, AnIdleConnectionIsBetterThanALaneThatHasSome) {
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

TEST_F(LaneChoiceTest, WhatIsNoneOfItsDoesNotTakeIt) {
  usable = 1;
  PoolConnection& connection = Open();
  Work* work = Lookup(slow);
  work->attempts.Exhaust(0);
  lanes.Begin(View());
  EXPECT_EQ(Choose(work), nullptr);
  work->attempts.Reset(2);
  OnTrial(0);
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

TEST_F(LaneChoiceTest, WhenAllAreOtherTablesASessionIsWanted) {
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

TEST_F(LaneChoiceTest, ThroughAPoolerTheBatchBeforeIsWaitedFor) {
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

TEST_F(LaneChoiceTest, WhatMayBeGoneIsNotWaitedFor) {
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

TEST_F(LaneChoiceTest, NorWhereItWasToRunEmpty) {
  PoolConnection& gone = Open(0, Phase::kEmptying);
  PoolConnection& busy = Open(0);
  Open(0).answered = busy.answered = now;
  hosts[0].trust.OnLost(now);
  Send(gone, Quick());
  Send(busy, Quick());
  lanes.Begin(View());
  EXPECT_NE(Choose(Lookup(slow)), nullptr);
}

TEST_F(LaneChoiceTest, NorWhereItDoesNotAnswer) {
  PoolConnection& stalled = Open(0, Phase::kEmptying);
  PoolConnection& busy = Open(0);
  Send(stalled, Quick());
  Send(busy, Quick());
  Send(Open(0), Quick());
  stalled.OnStalled();
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), nullptr);
  EXPECT_FALSE(stalled.turn.awaited);
  EXPECT_TRUE(busy.turn.awaited);
}

TEST_F(LaneChoiceTest, TheBetterOneBegins) {
  PoolConnection& first = Open();
  PoolConnection& second = Open();
  first.turn.reluctance = 1;
  lanes.Begin(View());
  EXPECT_EQ(Choose(Lookup(slow)), &second);
}

}  // namespace
}  // namespace proxymux::pgsql
