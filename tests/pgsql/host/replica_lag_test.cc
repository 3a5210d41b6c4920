#include "pgsql/host/replica_lag.h"

#include <gtest/gtest.h>

#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using Standing = ReplicaLag::Standing;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};
constexpr Duration kNone = Duration::zero();
constexpr Duration kLimit = seconds(5);

class Lag : public testing::Test {
 protected:
  void Says(const ReplicaState& state, Time asked) {
    history.Note(state, asked);
    lag.OnAsked(asked);
    lag.OnBack();
    lag.OnAnswered(state, asked, history);
  }
  Standing StandingAt(Time now, Duration limit = kLimit) {
    lag.Look(now, limit);
    return lag.standing();
  }

  WalHistory history;
  ReplicaLag lag;
};

TEST_F(Lag, IsAskedAboutOnceASecondAndTwiceWithALimit) {
  EXPECT_TRUE(lag.ShouldAsk(kNow, kNone));
  Says(Primary(1), kNow);
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(999), kNone));
  EXPECT_TRUE(lag.ShouldAsk(kNow + milliseconds(1000), kNone));
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(499), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + milliseconds(500), kLimit));
}

TEST_F(Lag, OneQuestionAtATime) {
  lag.OnAsked(kNow);
  EXPECT_FALSE(lag.ShouldAsk(kNow + seconds(4), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(5), kLimit));
  lag.OnBack();  // its connection was lost
  EXPECT_TRUE(lag.ShouldAsk(kNow, kLimit));
}

TEST_F(Lag, WithoutALimitEveryHostServes) {
  EXPECT_EQ(StandingAt(kNow, kNone), Standing::kCurrent);
  Says(Standby(1, 1, std::chrono::hours(5)), kNow);
  EXPECT_EQ(StandingAt(kNow, kNone), Standing::kCurrent);
}

TEST_F(Lag, WithALimitAHostServesWhenItSaysThatItMay) {
  EXPECT_EQ(StandingAt(kNow), Standing::kUnknown);
  Says(Primary(100), kNow);
  EXPECT_EQ(StandingAt(kNow), Standing::kCurrent);
  EXPECT_EQ(lag.lag(), Duration::zero());
}

// It may be as far behind by now as it is long ago that it was asked.
TEST_F(Lag, WhatItSaidIsGoodForTheLimitAndASecond) {
  Says(Standby(100, 100, milliseconds(10)), kNow);
  EXPECT_EQ(StandingAt(kNow + seconds(6)), Standing::kCurrent);
  EXPECT_EQ(StandingAt(kNow + seconds(6) + milliseconds(1)), Standing::kUnknown);
}

TEST_F(Lag, AStandbyIsBehindByPositions) {
  for (int second = 0; second <= 10; ++second) {
    history.Note(Primary(100 + static_cast<std::uint64_t>(second)), kNow + seconds(second));
  }
  Says(Standby(105, 110, seconds(5)), kNow + seconds(10));
  EXPECT_EQ(lag.lag(), seconds(5));
  EXPECT_EQ(StandingAt(kNow + seconds(10)), Standing::kCurrent);
  Says(Standby(104, 110, seconds(6)), kNow + seconds(10));
  EXPECT_EQ(StandingAt(kNow + seconds(10)), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "it is 6.0 s behind");
  Says(Standby(110, 110, milliseconds(5)), kNow + seconds(11));
  EXPECT_EQ(StandingAt(kNow + seconds(11)), Standing::kCurrent);
}

// The clock of the standby is ten minutes late, or early: positions tell.
TEST_F(Lag, ClocksCountOnlyWherePositionsAreTooClose) {
  for (int second = 0; second <= 10; ++second) {
    history.Note(Primary(100 + static_cast<std::uint64_t>(second)), kNow + seconds(second));
  }
  Says(Standby(104, 110, Duration::zero()), kNow + seconds(10));
  EXPECT_EQ(lag.lag(), seconds(6));
  Says(Standby(109, 110, std::chrono::minutes(10)), kNow + seconds(10));
  EXPECT_EQ(lag.lag(), seconds(1));
  Says(Standby(109, 110, milliseconds(3)), kNow + seconds(10));
  EXPECT_EQ(lag.lag(), milliseconds(3));
}

// Nothing was committed for an hour: its latest transaction is old, and it lacks nothing.
TEST_F(Lag, WithAnIdlePrimaryNothingIsBehind) {
  Says(Standby(100, 100, std::chrono::hours(1)), kNow);
  EXPECT_EQ(lag.lag(), Duration::zero());
  EXPECT_EQ(StandingAt(kNow), Standing::kCurrent);
}

TEST_F(Lag, OneThatIsCutOffIsAsOldAsItsLatestTransaction) {
  Says(CutOff(Standby(100, 100, seconds(30))), kNow);
  EXPECT_EQ(lag.lag(), seconds(30));
  EXPECT_EQ(StandingAt(kNow), Standing::kBehind);
  // Unless somebody else knows that nothing was written.
  history.Note(Primary(100), kNow + seconds(1));
  Says(CutOff(Standby(100, 100, seconds(31))), kNow + seconds(1));
  EXPECT_EQ(lag.lag(), Duration::zero());
}

TEST_F(Lag, WhatNobodyKnowsIsTooFar) {
  Says(CutOff(Standby(100, 0)), kNow);
  EXPECT_EQ(lag.lag(), std::nullopt);
  EXPECT_EQ(StandingAt(kNow), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "how far it is behind cannot be known");
}

TEST_F(Lag, APrimaryThatWasReplacedIsBehind) {
  Says(Primary(100), kNow);
  EXPECT_EQ(StandingAt(kNow), Standing::kCurrent);
  history.Note(Primary(90, 2), kNow + seconds(1));
  Says(Primary(110), kNow + seconds(2));
  EXPECT_EQ(StandingAt(kNow + seconds(2)), Standing::kBehind);
  EXPECT_EQ(lag.Why(), "another server has been promoted in its place");
}

TEST_F(Lag, AnAnswerThatCameLateDoesNotCount) {
  Says(Standby(100, 100, milliseconds(1)), kNow + seconds(3));
  lag.OnAnswered(CutOff(Standby(1, 1, seconds(60))), kNow, history);
  EXPECT_EQ(StandingAt(kNow + seconds(3)), Standing::kCurrent);
}

TEST_F(Lag, WhoCannotBeAskedServesAndIsAskedSeldom) {
  bool told = false;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(told);
    EXPECT_EQ(StandingAt(kNow), Standing::kUnknown);
    lag.OnAsked(kNow);
    lag.OnBack();
    told = lag.OnFailed(kNow);
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(StandingAt(kNow), Standing::kCurrent);
  EXPECT_FALSE(lag.ShouldAsk(kNow + seconds(59), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(60), kLimit));
  EXPECT_FALSE(lag.OnFailed(kNow + seconds(60))) << "that is known";
  Says(Primary(1), kNow + seconds(120));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(121), kLimit));
}

TEST_F(Lag, TheNextConnectionMayLeadToAnotherServer) {
  Says(Primary(100), kNow);
  lag.OnLeft();
  EXPECT_EQ(StandingAt(kNow), Standing::kUnknown);
  EXPECT_TRUE(lag.ShouldAsk(kNow, kLimit));
  EXPECT_EQ(lag.lag(), std::nullopt);
}

TEST_F(Lag, ThatItWasAPrimaryIsRememberedForAMinute) {
  EXPECT_FALSE(lag.WasPrimary(kNow));
  Says(Primary(100), kNow);
  lag.OnLeft();
  EXPECT_TRUE(lag.WasPrimary(kNow + seconds(59)));
  EXPECT_FALSE(lag.WasPrimary(kNow + seconds(60)));
  Says(Standby(100, 100), kNow + seconds(10));
  EXPECT_FALSE(lag.WasPrimary(kNow + seconds(10)));
}

}  // namespace
}  // namespace proxymux::pgsql
