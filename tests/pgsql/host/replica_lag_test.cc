// How far one host is behind, by what it says, and whether it serves.
#include "pgsql/host/replica_lag.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "pgsql/runtime/event_loop.h"
#include "tests/pgsql/host/replica_lag_fixture.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(Lag, AStandbyIsBehindByPositions) {
  for (int second = 0; second <= 10; ++second) {
    PrimarySays(100 + static_cast<std::uint64_t>(second), seconds(second));
  }
  Says(Standby(105, 110, seconds(5)), seconds(10));
  EXPECT_EQ(lag.lag(), seconds(5));
  EXPECT_EQ(StandingAt(seconds(10)), Standing::kCurrent);
  Says(Standby(104, 110, seconds(6)), seconds(10));
  EXPECT_EQ(StandingAt(seconds(10)), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "it is 6.0 s behind (max_replica_lag)");
  Says(Standby(110, 110, milliseconds(5)), seconds(11));
  EXPECT_EQ(StandingAt(seconds(11)), Standing::kCurrent);
}

// Nothing was committed for an hour: its latest transaction is old, and it lacks nothing. That it
// does not just catch up shows when it gets no further.
TEST_F(Lag, WithAnIdlePrimaryNothingIsBehind) {
  Says(Standby(100, 100, kOld));
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(499), kLimit));
  Says(Standby(100, 100, kOld + milliseconds(1999)), milliseconds(1999));
  EXPECT_EQ(StandingAt(milliseconds(1999)), Standing::kUnknown);
  Says(Standby(100, 100, kOld + seconds(2)), seconds(2));
  EXPECT_EQ(lag.lag(), Duration::zero());
  EXPECT_EQ(StandingAt(seconds(2)), Standing::kCurrent);
  // The primary writes a little now and then, and commits nothing.
  Says(Standby(101, 102, kOld + seconds(3)), seconds(3));
  Says(Standby(102, 102, kOld + seconds(4)), seconds(4));
  EXPECT_EQ(lag.lag(), Duration::zero());
}

// As after a restart: nothing was committed since.
TEST_F(Lag, WithAnIdlePrimaryAndNoCommitAtAll) {
  Says(Standby(100, 100));
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  Says(Standby(100, 100), seconds(2));
  EXPECT_EQ(lag.lag(), Duration::zero());
  EXPECT_EQ(StandingAt(seconds(2)), Standing::kCurrent);
}

// Connections end when nobody asks; the next lookup does not wait for it to show again.
TEST_F(Lag, WithAnIdlePrimaryANewConnectionIsNoReasonForDoubt) {
  Says(Standby(100, 100, kOld));
  Says(Standby(100, 100, kOld + seconds(2)), seconds(2));
  lag.OnLeft(kThen + seconds(60));
  Says(Standby(100, 100, kOld + seconds(70)), seconds(70));
  EXPECT_EQ(StandingAt(seconds(70)), Standing::kCurrent);
  lag.OnLeft(kThen + seconds(130));
  Says(Standby(101, 101, kOld + seconds(140)), seconds(140));
  EXPECT_EQ(StandingAt(seconds(140)), Standing::kUnknown) << "it may be catching up";
}

// It gets further all the time, and nothing was committed: an index is built, or it catches up.
TEST_F(Lag, NobodyWaitsForLongToSeeWhetherItCatchesUp) {
  for (int i = 0; i <= 7; ++i) {
    const auto position = static_cast<std::uint64_t>(100 + i);
    Says(Standby(position, position, kOld + milliseconds(500 * i)), milliseconds(500 * i));
    EXPECT_EQ(StandingAt(milliseconds(500 * i)), i <= 6 ? Standing::kUnknown : Standing::kBehind)
        << i;
  }
}

TEST_F(Lag, WithThePrimaryThatIsKnownAtOnce) {
  PrimarySays(100, {});
  Says(Standby(100, 100, kOld), milliseconds(1));
  EXPECT_EQ(StandingAt(milliseconds(1)), Standing::kCurrent);
  // And stays known when the primary is heard no more.
  Says(Standby(100, 100, kOld + seconds(60)), seconds(60));
  EXPECT_EQ(StandingAt(seconds(60)), Standing::kCurrent);
}

// It was cut off for an hour, and has just found its primary.
TEST_F(Lag, OneThatCatchesUpIsBehindUntilItHas) {
  Says(CutOff(Standby(50, 50, kOld)));
  for (int second = 1; second < 30; ++second) {
    const auto position = static_cast<std::uint64_t>(50 + 100 * second);
    Says(Standby(position, position, kOld - seconds(100 * second)), seconds(second));
    EXPECT_EQ(StandingAt(seconds(second)), Standing::kBehind) << second;
  }
  Says(Standby(9000, 9000, seconds(1)), seconds(36));
  EXPECT_EQ(StandingAt(seconds(36)), Standing::kCurrent);
}

// It had all, and the network is too slow for what comes now.
TEST_F(Lag, OneThatFallsBehindShowsByItsCommits) {
  for (int second = 0; second <= 2; ++second) {
    Says(Standby(100, 100, kOld + seconds(second)), seconds(second));
  }
  EXPECT_EQ(StandingAt(seconds(2)), Standing::kCurrent);
  Says(Standby(110, 110, milliseconds(900)), seconds(3));
  EXPECT_EQ(StandingAt(seconds(3)), Standing::kCurrent);
  Says(Standby(120, 120, seconds(4)), seconds(9));
  EXPECT_EQ(lag.lag(), seconds(4));
  EXPECT_EQ(StandingAt(seconds(9)), Standing::kCurrent);
  Says(Standby(130, 130, seconds(6)), seconds(12));
  EXPECT_EQ(StandingAt(seconds(12)), Standing::kBehind);
}

TEST_F(Lag, OneWhoseReplayIsHeldUpShowsByWhatItHasReceived) {
  for (int second = 0; second <= 2; ++second) {
    Says(Standby(100, 100, kOld + seconds(second)), seconds(second));
  }
  for (int second = 3; second <= 8; ++second) {
    Says(Standby(100, 200, kOld + seconds(second)), seconds(second));
  }
  EXPECT_EQ(lag.lag(), seconds(6));
  EXPECT_EQ(StandingAt(seconds(8)), Standing::kBehind);
}

TEST_F(Lag, OneThatIsCutOffIsAsOldAsItsLatestTransaction) {
  Says(CutOff(Standby(100, 100, seconds(30))));
  EXPECT_EQ(lag.lag(), seconds(30));
  EXPECT_EQ(StandingAt({}), Standing::kBehind);
  // Unless the primary says that nothing was written.
  PrimarySays(100, seconds(1));
  Says(CutOff(Standby(100, 100, seconds(31))), seconds(1));
  EXPECT_EQ(lag.lag(), Duration::zero());
}

TEST_F(Lag, WhatNobodyKnowsIsTooFar) {
  Says(CutOff(Standby(100, 0)));
  EXPECT_EQ(lag.lag(), std::nullopt);
  EXPECT_EQ(StandingAt({}), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "how far it is behind cannot be known (max_replica_lag)");
}

TEST_F(Lag, APrimaryThatWasReplacedIsBehind) {
  Says(Primary(100));
  EXPECT_EQ(StandingAt({}), Standing::kCurrent);
  log.Note(Primary(90, 2), kThen + seconds(1));
  Says(Primary(110), seconds(2));
  EXPECT_EQ(StandingAt(seconds(2)), Standing::kBehind);
  EXPECT_TRUE(lag.Apart());
  EXPECT_EQ(lag.Why(), "another server has been promoted in its place");
}

// Where only primaries are wanted nobody sets a limit.
TEST_F(Lag, APrimaryThatWasReplacedIsBehindWithoutALimitWhereItsRoleCounts) {
  const auto standing_at = [&](Duration later) {
    return StandingAt(later, Duration::zero(), /*role_counts=*/true);
  };
  Says(Primary(100));
  EXPECT_EQ(standing_at({}), Standing::kCurrent);
  log.Note(Primary(90, 2), kThen + seconds(1));
  EXPECT_EQ(StandingAt(seconds(1), Duration::zero()), Standing::kCurrent)
      << "any server may answer";
  EXPECT_EQ(standing_at(seconds(1)), Standing::kBehind) << "before it is asked again";
  // However rarely it is asked, and for a while after its last connection is gone.
  EXPECT_EQ(standing_at(seconds(59)), Standing::kBehind);
  lag.OnLeft(kThen + seconds(60));
  EXPECT_EQ(standing_at(seconds(89)), Standing::kBehind);
  EXPECT_EQ(standing_at(seconds(90)), Standing::kUnknown) << "to be asked before it serves";
  Says(Primary(95, 3), seconds(91));
  EXPECT_EQ(standing_at(seconds(91)), Standing::kCurrent) << "it was promoted again";
}

TEST_F(Lag, AStandbyOfAnyAgeIsCurrentWithoutALimit) {
  Says(CutOff(Standby(100, 0, kOld)));
  EXPECT_EQ(StandingAt({}, Duration::zero(), /*role_counts=*/true), Standing::kCurrent);
}

// It follows one that was replaced.
TEST_F(Lag, AStandbyWithAnotherLogIsBehind) {
  PrimarySays(900, {});
  Says(Standby(1000, 1000, milliseconds(1)), milliseconds(100));
  EXPECT_EQ(StandingAt(milliseconds(100)), Standing::kCurrent);
  PrimarySays(905, milliseconds(500));
  EXPECT_EQ(StandingAt(milliseconds(500)), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "it has another log than the primary");
  // Until the primary was asked again nobody knows better.
  Says(Standby(1001, 1001, milliseconds(1)), milliseconds(600));
  EXPECT_EQ(StandingAt(milliseconds(600)), Standing::kBehind);
  PrimarySays(1002, seconds(1));
  EXPECT_EQ(StandingAt(seconds(1)), Standing::kCurrent);
}

}  // namespace
}  // namespace proxymux::pgsql
