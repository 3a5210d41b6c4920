// Questions that nobody waits for any more, before a thread took them and while one has them: what
// becomes of them, and of their answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <uv.h>

#include <chrono>

#include "pgsql/runtime/event_loop.h"
#include "proxy/uv/uv_event_loop.h"
#include "proxy/uv/uv_names.h"
#include "tests/proxy/uv/uv_names_fixture.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

// What the thread was given before is done; the loops that gave it have not been told yet.
void WaitForTheThread() { const BusyThread behind_all_that; }

class AbandonedNamesTest : public UvNamesFixture {
 protected:
  // The one question is answered, and nobody was told yet.
  void AnswerUntold() {
    ASSERT_EQ(Questions(), 1u);
    WaitForTheThread();
  }
};

TEST_F(AbandonedNamesTest, WhatEveryoneLeftBeforeAThreadTookItIsNotAsked) {
  Asker gone, next;
  {
    const BusyThread busy;
    Ask(&gone, "localhost");
    gone.call.reset();
    uv_run(&uv_, UV_RUN_NOWAIT);  // the thread is busy
    EXPECT_EQ(Questions(), 0u);
    Ask(&gone, "localhost");
    gone.call.reset();
    Ask(&next, "localhost");  // the one that was given up is not told yet
  }
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  ASSERT_EQ(next.told.size(), 1u);
  EXPECT_THAT(next.told[0].addresses, Not(IsEmpty()));
}

TEST_F(AbandonedNamesTest, AnAnswerThatCameWhenAllHadLeftIsForTheNextWhoAsks) {
  Asker gone, next, after;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  time_.Advance(UvNames::kKept - milliseconds(1));
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 0u) << "it was asked again";
  time_.EndTurn();
  ASSERT_EQ(next.told.size(), 1u);
  EXPECT_THAT(next.told[0].addresses, Contains(::testing::AnyOf("127.0.0.1", "::1")));
  Ask(&after, "localhost");
  EXPECT_EQ(Questions(), 1u) << "it was for one only";
  RunAll();
  EXPECT_EQ(after.told.size(), 1u);
}

TEST_F(AbandonedNamesTest, AnAnswerForNobodyIsForgottenInTime) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  time_.Advance(UvNames::kKept);
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 1u) << "an old address";
  RunAll();
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(AbandonedNamesTest, AFailureForNobodyIsNotKept) {
  Asker gone, next;
  Ask(&gone, kNoName);
  AnswerUntold();
  gone.call.reset();
  RunAll();
  Ask(&next, kNoName);
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(AbandonedNamesTest, WhoComesAfterAllHadLeftWaitsForTheQuestionThatAThreadHas) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(AbandonedNamesTest, WhoLeavesAKeptAnswerIsNotTold) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  Ask(&next, "localhost");
  next.call.reset();
  RunAll();
  EXPECT_THAT(next.told, IsEmpty());
}

// As at the end of the process: the loop goes with it.
TEST_F(AbandonedNamesTest, TheEndTellsNobodyOfWhatIsStillAsked) {
  const auto fail = [](pgsql::ResolveResult) { ADD_FAILURE() << "it was given up"; };
  {
    UvEventLoop answered;
    auto call = answered.Resolve("localhost", fail);
    WaitForTheThread();
    call.reset();
  }
  BusyThread busy;
  {
    UvEventLoop waiting;
    auto call = waiting.Resolve("localhost", fail);
    auto same = waiting.Resolve("localhost", fail);
    call.reset();
    same.reset();
  }
  busy.Release();
}

}  // namespace
}  // namespace proxymux::proxy
