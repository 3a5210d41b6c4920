#include "pgsql/host/host_health.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = HostHealth::FailureKind;
using State = HostHealth::State;

class Health : public testing::Test {
 protected:
  bool Fail(Kind kind, std::string reason = "connection refused") {
    return health.OnFailed(now, kind, std::move(reason), &random);
  }
  Duration Wait() const { return health.retry_at() - now; }

  HostHealth health{seconds(60)};
  std::minstd_rand random{11};
  Time now{std::chrono::hours(1)};
};

TEST_F(Health, BeginsUntriedAndMayBeTried) {
  EXPECT_EQ(health.state(), State::kUntried);
  EXPECT_TRUE(health.MayConnect(now));
}

TEST_F(Health, IsLeftAloneAfterAFailureFirstForMillisecondsThenLongerUpToALimit) {
  EXPECT_TRUE(Fail(Kind::kUnreachable));
  EXPECT_EQ(health.state(), State::kDown);
  EXPECT_EQ(health.since(), now);
  EXPECT_FALSE(health.MayConnect(now));
  EXPECT_LE(Wait(), milliseconds(50));
  EXPECT_GE(Wait(), milliseconds(37));
  const Time down_since = now;
  Duration longest{};
  for (int i = 0; i < 30; ++i) {
    now = health.retry_at();
    EXPECT_TRUE(health.MayConnect(now));
    EXPECT_FALSE(health.MayConnect(now - Duration(1)));
    EXPECT_FALSE(Fail(Kind::kUnreachable));  // nothing new to tell
    longest = std::max(longest, Wait());
    if (i > 5) {
      EXPECT_GE(Wait(), milliseconds(600));
    }
  }
  EXPECT_LE(longest, milliseconds(800));
  EXPECT_EQ(health.since(), down_since);
}

TEST_F(Health, OfOneThatRefusesUsIsTriedMoreAndMoreSeldomUpToRetryInterval) {
  int attempts = 0;
  const Time end = now + std::chrono::hours(1);
  Duration last{};
  while (now < end) {
    Fail(Kind::kRefused, "password authentication failed");
    ++attempts;
    last = Wait();
    now = health.retry_at();
  }
  EXPECT_GE(attempts, 60);
  EXPECT_LE(attempts, 95);
  EXPECT_LE(last, seconds(60));
  EXPECT_GE(last, seconds(45));
}

TEST_F(Health, ARefusalThatBecomesUnreachableIsSoonTriedAgain) {
  for (int i = 0; i < 20; ++i) Fail(Kind::kRefused, "password authentication failed");
  EXPECT_GE(Wait(), seconds(45));
  EXPECT_TRUE(Fail(Kind::kUnreachable));
  EXPECT_LE(Wait(), milliseconds(800));
}

// Whoever waited for an attempt has waited already.
TEST_F(Health, TheTimeThatAnAttemptTookCountsWhereNobodyAnswers) {
  health.OnFailed(now, Kind::kUnreachable, "no route to host", &random, milliseconds(51));
  EXPECT_EQ(Wait(), Duration::zero());
  health = HostHealth(seconds(60));
  health.OnFailed(now, Kind::kRefused, "password authentication failed", &random, milliseconds(51));
  EXPECT_GE(Wait(), milliseconds(37));
}

TEST_F(Health, OneThatIsAwaitedIsTriedAtOnceUnlessItRefuses) {
  for (int i = 0; i < 10; ++i) Fail(Kind::kUnreachable);
  ASSERT_GT(Wait(), milliseconds(500));
  health.OnAwaited(now);
  EXPECT_EQ(Wait(), milliseconds(50));
  now += milliseconds(40);
  health.OnAwaited(now);
  EXPECT_EQ(Wait(), milliseconds(10)) << "never later than it was";
  Fail(Kind::kRefused);
  const Duration wait = Wait();
  health.OnAwaited(now);
  EXPECT_EQ(Wait(), wait);
}

TEST_F(Health, ANewReasonIsWorthALine) {
  EXPECT_TRUE(Fail(Kind::kUnreachable, "connection refused"));
  EXPECT_FALSE(Fail(Kind::kUnreachable, "connection refused"));
  EXPECT_TRUE(Fail(Kind::kUnreachable, "the database system is starting up"));
  EXPECT_EQ(health.reason(), "the database system is starting up");
}

TEST_F(Health, SuccessForgetsEverything) {
  for (int i = 0; i < 10; ++i) Fail(Kind::kUnreachable);
  now += seconds(1);
  health.OnConnected(now);
  EXPECT_EQ(health.state(), State::kTrial);
  EXPECT_TRUE(health.OnAnswered(now, now));
  EXPECT_EQ(health.state(), State::kUp);
  EXPECT_EQ(health.since(), now);
  EXPECT_EQ(health.reason(), "");
  EXPECT_TRUE(health.MayConnect(now));
  now += seconds(1);
  health.OnConnected(now);
  EXPECT_FALSE(health.OnAnswered(now, now));
  EXPECT_EQ(health.since(), now - seconds(1));
  EXPECT_TRUE(Fail(Kind::kUnreachable));
  EXPECT_LE(Wait(), milliseconds(50));
}

TEST_F(Health, WhatWasThereBeforeItsTrialDoesNotEndIt) {
  Fail(Kind::kUnreachable);
  const Time before = now;
  now += seconds(1);
  health.OnConnected(now);
  EXPECT_FALSE(health.OnAnswered(now, before));
  EXPECT_EQ(health.state(), State::kTrial);
  EXPECT_TRUE(health.OnAnswered(now, now));
}

TEST_F(Health, OnlyOneThatIsUpBecomesSuspect) {
  EXPECT_FALSE(health.OnSilent(now, "silent"));
  health.OnConnected(now);
  EXPECT_EQ(health.state(), State::kUp);
  EXPECT_TRUE(health.OnSilent(now, "silent"));
  EXPECT_EQ(health.state(), State::kSuspect);
  EXPECT_EQ(health.reason(), "silent");
  EXPECT_FALSE(health.OnSilent(now, "silent"));
  Fail(Kind::kUnreachable);
  EXPECT_FALSE(health.OnSilent(now, "silent"));
  EXPECT_EQ(health.state(), State::kDown);
  health.OnConnected(now);
  EXPECT_FALSE(health.OnSilent(now, "silent"));
  EXPECT_EQ(health.state(), State::kTrial);
}

TEST_F(Health, AnAnswerEndsASuspicionWithoutAWord) {
  health.OnConnected(now);
  health.OnSilent(now, "silent");
  EXPECT_FALSE(health.OnAnswered(now, now));  // it was never down
  EXPECT_EQ(health.state(), State::kUp);
  EXPECT_EQ(health.reason(), "");
  EXPECT_TRUE(health.OnSilent(now, "silent"));
}

TEST_F(Health, WhoPassesTheTestIsNotPutToItAgainForAWhile) {
  health.OnConnected(now);
  health.OnSilent(now, "silent");
  health.OnConnected(now);
  EXPECT_EQ(health.state(), State::kUp);
  now += seconds(9);
  EXPECT_TRUE(health.Trusted(now));
  EXPECT_FALSE(health.OnSilent(now, "silent"));
  now += seconds(1);
  EXPECT_FALSE(health.Trusted(now));
  EXPECT_TRUE(health.OnSilent(now, "silent"));
}

TEST_F(Health, ATrialThatFailsIsNoNewsAndTheHostWasDownSinceTheBeginning) {
  Fail(Kind::kUnreachable);
  const Time down_since = now;
  now += seconds(1);
  health.OnConnected(now);
  EXPECT_EQ(health.state(), State::kTrial);
  EXPECT_FALSE(Fail(Kind::kUnreachable));
  EXPECT_EQ(health.state(), State::kDown);
  EXPECT_EQ(health.down_since(), down_since);
  EXPECT_GT(Wait(), milliseconds(50));  // nor does the back-off begin anew
}

TEST_F(Health, AShortRetryIntervalBoundsEverything) {
  health = HostHealth(milliseconds(100));
  for (int i = 0; i < 10; ++i) Fail(Kind::kUnreachable);
  EXPECT_LE(Wait(), milliseconds(100));
  EXPECT_GE(Wait(), milliseconds(75));
}

TEST_F(Health, TwoProcessesDoNotComeBackInStep) {
  std::minstd_rand other_random(12);
  HostHealth other(seconds(60));
  int equal = 0;
  for (int i = 0; i < 10; ++i) {
    Fail(Kind::kUnreachable);
    other.OnFailed(now, Kind::kUnreachable, "connection refused", &other_random);
    equal += health.retry_at() == other.retry_at() ? 1 : 0;
  }
  EXPECT_LE(equal, 1);
}

TEST_F(Health, AServerOfAnotherRoleIsDownAndNothingIsWrongWithIt) {
  for (const char* words : {"session is read-only", "session is not read-only",
                            "server is in hot standby mode", "server is not in hot standby mode"}) {
    Fail(Kind::kUnreachable, "connection to server at \"db1\" failed: " + std::string(words));
    EXPECT_TRUE(health.OfOtherRole()) << words;
    health.OnConnected(now);
    EXPECT_FALSE(health.OfOtherRole());
  }
  Fail(Kind::kUnreachable);
  EXPECT_FALSE(health.OfOtherRole());
}

TEST_F(Health, TheLatestErrorIsKeptWhateverBecomesOfTheHost) {
  EXPECT_FALSE(health.last_error().has_value());
  Fail(Kind::kUnreachable);
  const Time failed = now;
  now += seconds(1);
  health.OnConnected(now);
  health.OnAnswered(now, now);
  ASSERT_EQ(health.state(), State::kUp);
  ASSERT_TRUE(health.last_error().has_value());
  EXPECT_EQ(health.last_error()->text, "connection refused");
  EXPECT_EQ(health.last_error()->at, failed);
  health.OnSilent(now + seconds(30), "silent");
  EXPECT_EQ(health.last_error()->text, "silent");
}

}  // namespace
}  // namespace proxymux::pgsql
