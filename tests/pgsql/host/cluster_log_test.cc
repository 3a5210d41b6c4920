// How far servers of one cluster are behind, from what all of them say.
#include "pgsql/host/cluster_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "tests/pgsql/host/real_times.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ClusterLogTest : public testing::Test {
 protected:
  // A second in each step.
  void PrimaryWrites(int seconds_long) {
    for (int second = 0; second <= seconds_long; ++second) {
      log.Note(Primary(100 + static_cast<std::uint64_t>(second)), At(second));
    }
  }
  std::optional<Duration> Behind(const ReplicaState& state, RealTime asked, bool settled = false) {
    return log.Behind(state, asked, settled);
  }

  ClusterLog log;
};

TEST_F(ClusterLogTest, APrimaryIsNotBehind) {
  EXPECT_EQ(Behind(Primary(100), At(0)), Duration::zero());
}

TEST_F(ClusterLogTest, ByThePrimarysPositions) {
  PrimaryWrites(10);
  EXPECT_EQ(Behind(Standby(110, 110, hours(1)), At(10.5)), Duration::zero());
  EXPECT_EQ(Behind(Standby(105, 110, hours(1)), At(10.5)), milliseconds(5500));
  EXPECT_EQ(Behind(Standby(105, 110, hours(1)), At(10.5), /*settled=*/true), milliseconds(5500));
}

// The clock of the standby is ten minutes late, or early: positions tell.
TEST_F(ClusterLogTest, ClocksCountOnlyWherePositionsAreTooClose) {
  PrimaryWrites(10);
  EXPECT_EQ(Behind(Standby(104, 110, Duration::zero()), At(10)), seconds(6));
  EXPECT_EQ(Behind(Standby(109, 110, minutes(10)), At(10)), seconds(1));
  EXPECT_EQ(Behind(Standby(109, 110, milliseconds(3)), At(10)), milliseconds(3));
}

TEST_F(ClusterLogTest, BeforeAllThatIsKnownIsAtLeastAsFarBehindAsThatGoesBack) {
  PrimaryWrites(10);
  EXPECT_EQ(Behind(Standby(50, 110, seconds(1)), At(10)), seconds(10));
  EXPECT_EQ(Behind(Standby(50, 110, hours(1)), At(10)), hours(1));
  EXPECT_EQ(Behind(Standby(50, 110), At(10)), seconds(10));
}

// It lacks what was written since the primary was heard, at most; however old its last commit is.
TEST_F(ClusterLogTest, OneThatHadAllWhenThePrimaryWentLacksLittle) {
  PrimaryWrites(10);
  EXPECT_EQ(Behind(CutOff(Standby(110, 110, hours(1))), At(13)), Duration::zero()) << "was heard";
  EXPECT_EQ(Behind(CutOff(Standby(110, 110, hours(1))), At(14)), seconds(4));
  EXPECT_EQ(Behind(CutOff(Standby(108, 110, hours(1))), At(14)), seconds(6));
  EXPECT_EQ(Behind(CutOff(Standby(110, 110, seconds(1))), At(14)), seconds(1));
}

TEST_F(ClusterLogTest, WithoutThePrimaryTheCommitTimeCounts) {
  EXPECT_EQ(Behind(CutOff(Standby(50, 50, seconds(30))), At(0)), seconds(30));
  EXPECT_EQ(Behind(CutOff(Standby(50, 50)), At(0)), std::nullopt);
  // One that receives may be catching up.
  log.Note(Standby(50, 50, hours(1)), At(0));
  EXPECT_EQ(Behind(Standby(50, 50, hours(1)), At(0)), hours(1));
  EXPECT_EQ(Behind(Standby(50, 50, hours(1)), At(0), /*settled=*/true), Duration::zero());
}

TEST_F(ClusterLogTest, WhatOthersHaveReceivedShowsThatOneIsBehind) {
  log.Note(Standby(50, 50, hours(1)), At(0));
  log.Note(Standby(60, 60, hours(1)), At(1));
  log.Note(Standby(70, 70, hours(1)), At(2));
  EXPECT_EQ(Behind(Standby(50, 50, hours(1)), At(5), /*settled=*/true), seconds(5));
  EXPECT_EQ(Behind(Standby(60, 60, hours(1)), At(5), /*settled=*/true), seconds(4));
  EXPECT_EQ(Behind(Standby(70, 70, hours(1)), At(5), /*settled=*/true), Duration::zero());
  // Its own, which it has not replayed.
  EXPECT_EQ(Behind(Standby(60, 70, hours(1)), At(5), /*settled=*/true), seconds(4));
}

// The log of an idle cluster ends at the same place for all.
TEST_F(ClusterLogTest, WhatOthersHaveReceivedStaysKnownWhenThePrimaryIsJustThere) {
  log.Note(Primary(100), At(0));
  log.Note(Standby(100, 100, hours(1)), At(1));
  log.Note(Primary(100), At(2));
  EXPECT_EQ(Behind(Standby(50, 50, hours(1)), At(61), /*settled=*/true), seconds(60));
}

// The primary says that the log ends where it does, whatever others have.
TEST_F(ClusterLogTest, WhatAStandbyHasIsNoMeasureBesideThePrimary) {
  log.Note(Standby(50, 50, hours(1)), At(0));
  log.Note(Primary(100), At(0.1));
  EXPECT_EQ(Behind(Standby(50, 50, hours(1)), At(0.5)), hours(1)) << "not half a second";
}

TEST_F(ClusterLogTest, OfTwoPrimariesTheOlderOneWasReplaced) {
  log.Note(Primary(1000), At(0));
  log.Note(Primary(900, 2), At(1));
  EXPECT_TRUE(log.Replaced(Primary(1100), At(2)));
  EXPECT_EQ(Behind(Primary(1100), At(2)), std::nullopt);
  EXPECT_FALSE(log.Replaced(Primary(900, 2), At(2)));
  EXPECT_FALSE(log.Replaced(Standby(1, 1), At(2)));
  log.Note(Primary(1100), At(2));  // nobody follows it any more
  EXPECT_EQ(Behind(Standby(900, 900), At(3)), Duration::zero());
}

TEST_F(ClusterLogTest, AfterARestoreTheOldTimelineIsForgotten) {
  log.Note(Primary(900, 2), At(0));
  EXPECT_TRUE(log.Replaced(Primary(800), At(599)));
  EXPECT_FALSE(log.Replaced(Primary(800), At(600)));
  log.Note(Primary(800), At(600));
  EXPECT_EQ(Behind(Primary(800), At(600)), Duration::zero());
  EXPECT_EQ(Behind(Standby(800, 800), At(601)), Duration::zero());
}

TEST_F(ClusterLogTest, AfterARestoreOnTheSameTimelineTheLogBeginsAnew) {
  log.Note(Primary(900), At(0));
  log.Note(Primary(800), At(1));
  EXPECT_EQ(Behind(Standby(800, 800), At(1.5)), Duration::zero());
  log.Note(Primary(790), At(0.5));  // an answer that came late
  EXPECT_EQ(Behind(Standby(800, 800), At(1.5)), Duration::zero());
}

// It follows a primary that was replaced, or was one itself.
TEST_F(ClusterLogTest, WhoHasMoreThanThePrimaryHasAnotherLog) {
  log.Note(Primary(900, 2), At(0));
  EXPECT_EQ(log.Diverged(Standby(1000, 1000), At(0.1)), std::nullopt) << "it may be newer";
  log.Note(Primary(905, 2), At(0.5));
  EXPECT_EQ(log.Diverged(Standby(1000, 1000), At(0.1)), true);
  EXPECT_EQ(log.Diverged(Standby(905, 905), At(0.1)), false);
  EXPECT_EQ(log.Diverged(Primary(1000), At(0.1)), std::nullopt);
}

TEST_F(ClusterLogTest, AnotherLogSaysNothingOfThisOne) {
  log.Note(Primary(900, 2), At(0));
  log.Note(Standby(1000, 1000), At(0.1));
  log.Note(Primary(905, 2), At(0.5));
  EXPECT_EQ(Behind(Standby(905, 905), At(0.6)), Duration::zero());
  EXPECT_EQ(Behind(Standby(905, 905), At(60), /*settled=*/true), Duration::zero());
}

}  // namespace
}  // namespace proxymux::pgsql
