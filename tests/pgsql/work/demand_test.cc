#include "pgsql/work/demand.h"

#include <gtest/gtest.h>

#include <memory>

#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

constexpr Time kNow{std::chrono::hours(1)};
constexpr Duration kJustBefore = Demand::kMemory - std::chrono::milliseconds(1);

class DemandTest : public testing::Test {
 protected:
  explicit DemandTest(Line line = Line::kShared) {
    work.binding = std::make_shared<TableBinding>();
    work.binding->line = line;
    work.attempts.Reset(1);
  }
  bool Quick(Time at = kNow) const { return demand.QuickAbout(queues, at); }
  bool Sharers(Time at = kNow) const { return demand.SharersAbout(queues, at); }

  Work work;  // before the queues, which it may stand in
  WorkQueues queues;
  Demand demand;
};

TEST_F(DemandTest, NobodyIsAboutAtFirst) {
  EXPECT_FALSE(Quick());
  EXPECT_FALSE(Sharers());
  EXPECT_FALSE(Quick(Time()));
  EXPECT_FALSE(demand.slow_are_next());
}

TEST_F(DemandTest, WhoWaitsForASharedConnectionIsAbout) {
  queues.Add(&work, kNow);
  EXPECT_TRUE(Quick());
  EXPECT_TRUE(Sharers());
}

TEST_F(DemandTest, WhoComesBackToWaitForOneIsAboutAsWell) {
  work.attempts.Count(0);
  queues.Add(&work, kNow);
  EXPECT_TRUE(Quick());
  EXPECT_TRUE(Sharers());
}

TEST_F(DemandTest, AQuestionWantsASharedConnectionAndIsNoLookup) {
  work.kind = Work::Kind::kClassify;
  queues.Add(&work, kNow);
  EXPECT_FALSE(Quick());
  EXPECT_TRUE(Sharers());
}

TEST_F(DemandTest, ATableThatHasItsOwnConnectionsIsQuickAndDoesNotShare) {
  work.binding->line = Line::kOwn;
  queues.Add(&work, kNow);
  EXPECT_TRUE(Quick());
  EXPECT_FALSE(Sharers());
}

TEST_F(DemandTest, SlowOnesAreNeither) {
  work.binding->line = Line::kSlow;
  queues.Add(&work, kNow);
  EXPECT_FALSE(Quick());
  EXPECT_FALSE(Sharers());
}

TEST_F(DemandTest, WhatWasSentIsRememberedForAWhile) {
  demand.OnQuickSent(work, queues, kNow);
  EXPECT_TRUE(Quick(kNow + kJustBefore));
  EXPECT_TRUE(Sharers(kNow + kJustBefore));
  EXPECT_FALSE(Quick(kNow + Demand::kMemory));
  EXPECT_FALSE(Sharers(kNow + Demand::kMemory));
}

TEST_F(DemandTest, OfTablesThatDoNotShareOnlyAsQuick) {
  work.binding->line = Line::kLoan;
  demand.OnQuickSent(work, queues, kNow);
  EXPECT_TRUE(Quick());
  EXPECT_FALSE(Sharers());
}

// With a single connection the two kinds take turns.
TEST_F(DemandTest, SlowOnesThatWaitedAreNextUntilOneIsSent) {
  Work slow;
  slow.binding = std::make_shared<TableBinding>();
  slow.binding->line = Line::kSlow;
  slow.attempts.Reset(1);
  demand.OnQuickSent(work, queues, kNow);
  EXPECT_FALSE(demand.slow_are_next());
  queues.Add(&slow, kNow);
  demand.OnQuickSent(work, queues, kNow);
  EXPECT_TRUE(demand.slow_are_next());
  demand.OnSlowSent();
  EXPECT_FALSE(demand.slow_are_next());
  queues.Remove(&slow);
}

}  // namespace
}  // namespace proxymux::pgsql
