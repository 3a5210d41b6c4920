#include "pgsql/policy/silence_watch.h"

#include <gtest/gtest.h>

#include "tests/pgsql/policy/policy_world.h"
#include "tests/pgsql/work/nobodys_sink.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using HostStep = SilenceWatch::HostStep;
using Step = SilenceWatch::Step;

constexpr Duration kLimit = seconds(1);

class SilenceWatchTest : public PolicyWorld {
 protected:
  HostStep AboutHost(const PoolConnection& connection) const {
    return SilenceWatch::AboutHost(View(), connection, kLimit);
  }
  Step AboutUseless(const PoolConnection& connection, bool was_up, Time late) const {
    return SilenceWatch::AboutUseless(View(), connection, was_up, late);
  }
};

TEST_F(SilenceWatchTest, SilenceCountsFromTheSendingOrFromTheResultBefore) {
  PoolConnection& connection = Open();
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), std::nullopt);
  const auto never = Quick();
  never->service_time = {};
  Send(connection, never, false, milliseconds(10));
  connection.last_result = now - milliseconds(20);
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), now - milliseconds(10) + kLimit);
  connection.last_result = now - milliseconds(5);
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), now - milliseconds(5) + kLimit);
}

TEST_F(SilenceWatchTest, WhatIsKnownToBeSlowHasThatTimeOnTop) {
  PoolConnection& connection = Open();
  connection.last_result = now - seconds(1);
  Work* work = Send(connection, Slow(milliseconds(300)), true, milliseconds(0));
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), now + kLimit + milliseconds(300));
  work->kind = Work::Kind::kClassify;  // a question about it is none of its statements
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), now + kLimit);
}

TEST_F(SilenceWatchTest, WhatIsBeingCancelledIsWaitedFor) {
  PoolConnection& connection = Open();
  Send(connection, Quick());
  connection.cancel.OnSent(now, 1);
  EXPECT_EQ(SilenceWatch::LateFrom(connection, kLimit), std::nullopt);
}

TEST_F(SilenceWatchTest, AHostThatGaveNoResultIsPutToTheTest) {
  PoolConnection& connection = Open();
  Send(connection, Quick());
  hosts[0].last_result = now - kLimit;
  EXPECT_EQ(AboutHost(connection), HostStep::kTest);
  hosts[0].last_result = now - kLimit + milliseconds(1);
  EXPECT_EQ(AboutHost(connection), HostStep::kNothing);  // it lives
}

TEST_F(SilenceWatchTest, AHostOnTrialIsGivenUpForAnother) {
  OnTrial(0);
  PoolConnection& connection = Open(0);
  Work* work = Send(connection, Quick());
  EXPECT_EQ(AboutHost(connection), HostStep::kGiveUp);
  work->needs.may_write = true;
  EXPECT_EQ(AboutHost(connection), HostStep::kNothing);  // it may be done already
  work->needs.may_write = false;
  Down(1);
  EXPECT_EQ(AboutHost(connection), HostStep::kNothing);  // there is nobody else
}

// It goes on as before, and proves nothing: that it takes long is no sign either.
TEST_F(SilenceWatchTest, WhatWasThereBeforeTheTrialIsNotGivenUp) {
  PoolConnection& connection = Open(0);
  now += seconds(1);
  OnTrial(0);
  Send(connection, Quick());
  EXPECT_NE(AboutHost(connection), HostStep::kGiveUp);
}

TEST_F(SilenceWatchTest, AQuestionThatIsToProveAHostIsWaitedForLongerEachTime) {
  Down(1);
  OnTrial(0);
  PoolConnection& connection = Open(0);
  Send(connection, Quick())->kind = Work::Kind::kStamp;
  connection.running()->needs.may_write = false;
  hosts.SetOutageWait(seconds(5));
  hosts[0].trust.OnNotMade(now);
  for (const int limits : {1, 2, 4, 8, 8}) {
    now = *connection.SilentSince() + limits * kLimit - milliseconds(1);
    EXPECT_FALSE(SilenceWatch::ProofIsLate(View(), connection, kLimit)) << limits;
    now += milliseconds(1);
    EXPECT_TRUE(SilenceWatch::ProofIsLate(View(), connection, kLimit)) << limits;
    EXPECT_EQ(AboutHost(connection), HostStep::kNothing) << "there is nobody else";
    hosts[0].trust.OnQuestionGivenUp();
  }
}

TEST_F(SilenceWatchTest, OthersServeThatAreNotInDoubt) {
  EXPECT_TRUE(SilenceWatch::OthersMayServe(View(), 0));
  hosts[1].health.OnSilent(now, "silent");
  EXPECT_FALSE(SilenceWatch::OthersMayServe(View(), 0));
  EXPECT_TRUE(SilenceWatch::OthersMayServe(View(), 1));
  Down(1);
  EXPECT_FALSE(SilenceWatch::OthersMayServe(View(), 0));
}

// A pooler may leave a new session without a server while others are answered.
TEST_F(SilenceWatchTest, AQuestionThatIsToProveAConnectionIsGivenUpWhereTheHostLives) {
  Down(1);
  PoolConnection& connection = Open(0);
  Work* work = Send(connection, Quick());
  work->kind = Work::Kind::kStamp;
  const Time late = *connection.SilentSince() + kLimit;
  now = late;
  hosts[0].last_result = late;
  hosts.SetOutageWait(seconds(5));
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, late)) << "it is asked beside lookups";
  hosts[0].trust.OnLost(now);
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, late));
  hosts[0].last_result = late - milliseconds(1);
  hosts[0].health.OnSilent(now, "silent");
  hosts[0].health.OnConnected(now);
  ASSERT_TRUE(hosts[0].health.Trusted(now));
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, late)) << "nobody is answered";
  hosts[0].last_result = late;
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, late));
  hosts[0].trust.OnQuestionGivenUp();
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, late)) << "the second one";
  now = late + kLimit;
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, late));
}

// A question that was asked before is no reason to wait for a session that went with the others.
TEST_F(SilenceWatchTest, AQuestionIsGivenUpWhereItsConnectionMayBeGoneWithOthers) {
  for (const Work::Kind kind : {Work::Kind::kStamp, Work::Kind::kClassify, Work::Kind::kLag}) {
    PoolConnection& connection = Open(0);
    hosts[0].trust = {};
    hosts[0].last_result = {};
    connection.OnAnswered(now);
    connection.answered = now;
    Send(connection, Quick(), false, Duration::zero())->kind = kind;
    const Time late = *connection.SilentSince() + kLimit;
    const auto is_given_up = [&] { return SilenceWatch::HasBroken(View(), connection, late); };
    Down(1);
    now += milliseconds(1);
    hosts[0].trust.OnLost(now);
    now = late;
    EXPECT_FALSE(is_given_up()) << "nobody is answered";
    hosts[0].last_result = late;
    EXPECT_TRUE(is_given_up());
    connection.answered = now;
    EXPECT_FALSE(is_given_up()) << "it has answered since: the question takes long";
    hosts[0].trust = {};
    connection.OnBack(connection.running());
    connection.SetPhase(Phase::kClosed);
    --hosts[0].ready;
  }
}

TEST_F(SilenceWatchTest, WhatWasSilentBeforeIsNotGivenUpWithTheQuestionBeforeIt) {
  Down(1);
  PoolConnection& connection = Open(0);
  Send(connection, Quick())->kind = Work::Kind::kStamp;
  NobodysSink waiter;
  Work* lookup = Send(connection, Quick());
  lookup->sink = &waiter;
  hosts[0].last_result = now;
  hosts.SetOutageWait(seconds(5));
  hosts[0].trust.OnLost(now);
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, now));
  lookup->attempts.NoteSilence();
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, now));
}

TEST_F(SilenceWatchTest, WhatIsCancelledOrNobodyWaitsForIsNotGivenUp) {
  Down(1);
  PoolConnection& connection = Open(0);
  NobodysSink waiter;
  Work* lookup = Send(connection, Quick());
  lookup->sink = &waiter;
  hosts[0].last_result = now;
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, now));
  lookup->sink = nullptr;
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, now)) << "nobody waits for it";
  lookup->sink = &waiter;
  connection.cancel.OnSent(now, 1);
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, now)) << "it is being cancelled";
}

// It was there before its host went down: others that are there now take what it owes.
TEST_F(SilenceWatchTest, OnAHostOnTrialOneIsGivenUpForAnotherOfThatHost) {
  Down(1);
  PoolConnection& silent = Open(0);
  NobodysSink waiter;
  Send(silent, Quick())->sink = &waiter;
  now += seconds(1);
  OnTrial(0);
  const auto is_given_up = [&] { return SilenceWatch::HasBroken(View(), silent, now); };
  Open(1);
  hosts[1].ready = 0;
  EXPECT_FALSE(is_given_up()) << "that one is of another host";
  PoolConnection& other = Open(0);
  EXPECT_TRUE(is_given_up());
  other.OnStalled();
  EXPECT_FALSE(is_given_up());
}

// A statement is prepared anew every second.
TEST_F(SilenceWatchTest, WhatIsPreparedForALookupIsGivenUpWithIt) {
  Down(1);
  PoolConnection& connection = Open(0);
  Send(connection, Quick())->kind = Work::Kind::kDeallocate;
  Send(connection, Quick())->kind = Work::Kind::kPrepare;
  hosts[0].last_result = now;
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, now)) << "for no lookup";
  NobodysSink waiter;
  Work* lookup = Send(connection, Quick());
  lookup->sink = &waiter;
  EXPECT_TRUE(SilenceWatch::HasBroken(View(), connection, now));
  lookup->attempts.NoteSilence();
  EXPECT_FALSE(SilenceWatch::HasBroken(View(), connection, now));
}

TEST_F(SilenceWatchTest, WhatNobodyWaitsForIsCancelledWhereTheHostLives) {
  PoolConnection& connection = Open();
  const Time late = now - milliseconds(5);
  hosts[0].last_result = late;
  EXPECT_EQ(AboutUseless(connection, true, late), Step::kCancel);
  hosts[0].last_result = late - milliseconds(1);
  EXPECT_EQ(AboutUseless(connection, true, late), Step::kWait);
  // It has passed its test a short time ago.
  hosts[0].health.OnSilent(now, "silent");
  hosts[0].health.OnConnected(now);
  ASSERT_TRUE(hosts[0].health.Trusted(now));
  EXPECT_EQ(AboutUseless(connection, true, late), Step::kCancel);
}

TEST_F(SilenceWatchTest, ATestThatBeganBeforeHasHadItsTime) {
  PoolConnection& connection = Open();
  hosts[0].health.OnSilent(now, "silent");
  EXPECT_EQ(AboutUseless(connection, true, now), Step::kWait);
  EXPECT_EQ(AboutUseless(connection, false, now), Step::kDrop);
}

}  // namespace
}  // namespace proxymux::pgsql
