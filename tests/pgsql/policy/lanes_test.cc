// How many lanes there may be, how much each one takes, and when they end.
#include "pgsql/policy/lanes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>

#include "tests/pgsql/policy/lanes_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

class LanesTest : public LanesWorld {};

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
  for (std::size_t host = 0; host < 2; ++host) Down(host);
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
  Open().OnStalled();
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
  const auto script = BoundTable("SELECT 1; SELECT v FROM t WHERE k = '%s'", WriteClass::kReads);
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
