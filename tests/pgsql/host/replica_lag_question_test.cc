// When one host is asked how far it is behind, and how long what it says counts.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "pgsql/host/replica_lag.h"
#include "pgsql/runtime/event_loop.h"
#include "tests/pgsql/host/replica_lag_fixture.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kNone = Duration::zero();

using Failure = ReplicaLag::Failure;

class LagQuestion : public Lag {};

TEST_F(LagQuestion, IsAskedAboutOnceASecondAndTwiceWithALimit) {
  EXPECT_TRUE(lag.ShouldAsk(kNow, kNone));
  Says(Primary(1));
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(999), kNone));
  EXPECT_TRUE(lag.ShouldAsk(kNow + milliseconds(1000), kNone));
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(499), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + milliseconds(500), kLimit));
}

TEST_F(LagQuestion, OneQuestionAtATime) {
  lag.OnAsked(kNow);
  EXPECT_FALSE(lag.ShouldAsk(kNow + milliseconds(999), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(1), kLimit)) << "one may hang";
  lag.OnBack();  // its connection was lost
  EXPECT_TRUE(lag.ShouldAsk(kNow, kLimit));
}

TEST_F(LagQuestion, WithoutALimitEveryHostServes) {
  EXPECT_EQ(StandingAt({}, kNone), Standing::kCurrent);
  Says(Standby(1, 1, kOld));
  EXPECT_EQ(StandingAt({}, kNone), Standing::kCurrent);
}

TEST_F(LagQuestion, WithALimitAHostServesWhenItSaysThatItMay) {
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  Says(Primary(100));
  EXPECT_EQ(StandingAt({}), Standing::kCurrent);
  EXPECT_EQ(lag.lag(), Duration::zero());
}

// It may be as far behind by now as it is long ago that it was asked.
TEST_F(LagQuestion, WhatItSaidIsGoodForTheLimitAndASecond) {
  Says(Standby(100, 100, milliseconds(10)));
  EXPECT_EQ(StandingAt(seconds(6)), Standing::kCurrent);
  EXPECT_EQ(StandingAt(seconds(6) + milliseconds(1)), Standing::kUnknown);
}

// An hour ago it was behind: it may have caught up, and is to be asked.
TEST_F(LagQuestion, ThatItIsBehindGetsOldAsWell) {
  Says(CutOff(Standby(100, 100, kOld)));
  EXPECT_EQ(StandingAt(seconds(6)), Standing::kBehind);
  EXPECT_EQ(StandingAt(seconds(6) + milliseconds(1)), Standing::kUnknown);
}

TEST_F(LagQuestion, AnAnswerThatCameLateDoesNotCount) {
  Says(Standby(100, 100, milliseconds(1)), seconds(3));
  lag.OnAnswered(CutOff(Standby(1, 1, seconds(60))), kThen, kThen + seconds(3), log);
  EXPECT_EQ(StandingAt(seconds(3)), Standing::kCurrent);
}

TEST_F(LagQuestion, WhoCannotBeAskedServesAndIsAskedSeldom) {
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  lag.OnAsked(kNow);
  lag.OnBack();
  EXPECT_TRUE(lag.OnFailed(Failure::kRefusal, kNow));
  EXPECT_EQ(StandingAt({}), Standing::kCurrent);
  EXPECT_FALSE(lag.ShouldAsk(kNow + seconds(59), kLimit));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(60), kLimit));
  EXPECT_FALSE(lag.OnFailed(Failure::kRefusal, kNow + seconds(60))) << "that is known";
  // Nor on the next connection.
  lag.OnLeft(kThen + seconds(70));
  EXPECT_EQ(StandingAt(seconds(70)), Standing::kCurrent);
  EXPECT_FALSE(lag.ShouldAsk(kNow + seconds(70), kLimit));
  // With a new limit it counts again.
  lag.OnNewLimit();
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(70), kLimit));
  EXPECT_TRUE(lag.OnFailed(Failure::kRefusal, kNow + seconds(70)));
  Says(Primary(1), seconds(130));
  EXPECT_TRUE(lag.ShouldAsk(kNow + seconds(131), kLimit));
}

TEST_F(LagQuestion, WhoFailsToSayItIsAskedAgain) {
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(lag.OnFailed(Failure::kPassing, kNow)) << i;
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  EXPECT_TRUE(lag.OnFailed(Failure::kPassing, kNow));
  EXPECT_EQ(StandingAt({}), Standing::kCurrent);
  lag.OnLeft(kThen);
  EXPECT_EQ(StandingAt({}), Standing::kUnknown) << "the next connection may do better";
}

// What it said before was good, and does not count for ever.
TEST_F(LagQuestion, WhoWasCurrentAndFailsToSayItServes) {
  Says(Standby(100, 100, milliseconds(1)));
  EXPECT_EQ(StandingAt({}), Standing::kCurrent);
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(lag.OnFailed(Failure::kPassing, kNow)) << i;
  EXPECT_NE(lag.state(), std::nullopt);
  EXPECT_TRUE(lag.OnFailed(Failure::kPassing, kNow));
  EXPECT_EQ(lag.state(), std::nullopt);
  EXPECT_EQ(StandingAt(kOld), Standing::kCurrent);
}

// A server that is overloaded is behind for that.
TEST_F(LagQuestion, WhoIsBehindAndFailsToSayItStaysBehind) {
  Says(CutOff(Standby(50, 50, seconds(60))));
  EXPECT_EQ(StandingAt({}), Standing::kBehind);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(lag.OnFailed(Failure::kPassing, kNow));
    EXPECT_EQ(StandingAt(seconds(10 * i)), Standing::kBehind) << i;
  }
}

TEST_F(LagQuestion, TheNextConnectionMayLeadToAnotherServer) {
  Says(Primary(100));
  lag.OnLeft(kThen);
  EXPECT_EQ(StandingAt({}), Standing::kUnknown);
  EXPECT_TRUE(lag.ShouldAsk(kNow, kLimit));
  EXPECT_EQ(lag.lag(), std::nullopt);
}

// So that it is not connected to and left again in turns with others.
TEST_F(LagQuestion, ThatItWasBehindCountsForAWhile) {
  Says(CutOff(Standby(50, 50, seconds(60))));
  EXPECT_EQ(StandingAt({}), Standing::kBehind);
  lag.OnLeft(kThen);
  EXPECT_EQ(StandingAt(seconds(29)), Standing::kBehind);
  EXPECT_EQ(lag.lag(), std::nullopt) << "what is shown is of now";
  EXPECT_EQ(StandingAt(seconds(30)), Standing::kUnknown);
  EXPECT_EQ(StandingAt(seconds(29)), Standing::kBehind);
  lag.Forget();
  EXPECT_EQ(StandingAt(seconds(29)), Standing::kUnknown);
}

TEST_F(LagQuestion, WhatItSaysAfterThatIsOfAnotherServer) {
  PrimarySays(900, {});
  Says(Standby(1000, 1000, milliseconds(1)), milliseconds(100));
  PrimarySays(905, milliseconds(500));
  EXPECT_EQ(StandingAt(milliseconds(500)), Standing::kBehind);
  lag.OnLeft(kThen + seconds(1));
  Says(Standby(905, 905, milliseconds(1)), seconds(1));
  EXPECT_EQ(StandingAt(seconds(1)), Standing::kCurrent);
}

TEST_F(LagQuestion, ThatItWasAPrimaryIsRememberedForAMinute) {
  EXPECT_FALSE(lag.RoleKnown());
  EXPECT_FALSE(lag.WasPrimary(kThen));
  Says(Primary(100));
  EXPECT_TRUE(lag.RoleKnown());
  lag.OnLeft(kThen);
  EXPECT_FALSE(lag.RoleKnown());
  EXPECT_TRUE(lag.WasPrimary(kThen + seconds(59)));
  EXPECT_FALSE(lag.WasPrimary(kThen + seconds(60)));
  Says(Standby(100, 100), seconds(10));
  EXPECT_FALSE(lag.WasPrimary(kThen + seconds(10)));
}

}  // namespace
}  // namespace proxymux::pgsql
