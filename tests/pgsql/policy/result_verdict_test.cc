#include "pgsql/policy/result_verdict.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/fakes/scripted_upstream.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using Next = ResultVerdict::Next;
using Attempt = ResultVerdict::Attempt;
using Lesson = ResultVerdict::Lesson;

// What of a verdict is not as usual.
struct Expected {
  Next next = Next::kRetry;
  Attempt attempt = Attempt::kCounts;
  Lesson lesson = Lesson::kNothing;
  bool as_text = false;
  bool host_failed = false;
  bool cancelled = false;
  bool session_stuck = false;
};

void Expect(const ResultVerdict& verdict, const Expected& expected) {
  EXPECT_EQ(verdict.next, expected.next);
  EXPECT_EQ(verdict.attempt, expected.attempt);
  EXPECT_EQ(verdict.lesson, expected.lesson);
  EXPECT_EQ(verdict.as_text, expected.as_text);
  EXPECT_EQ(verdict.host_failed, expected.host_failed);
  EXPECT_EQ(verdict.cancelled, expected.cancelled);
  EXPECT_EQ(verdict.session_stuck, expected.session_stuck);
}

TEST(StageOfTest, IsHowTheStatementWasSent) {
  Work work;
  EXPECT_EQ(StageOf(work), ErrorStage::kText);
  work.form = StatementForm::kParameterized;
  EXPECT_EQ(StageOf(work), ErrorStage::kParameterized);
  work.form = StatementForm::kPrepared;
  EXPECT_EQ(StageOf(work), ErrorStage::kPrepared);
  work.kind = Work::Kind::kPrepare;
  EXPECT_EQ(StageOf(work), ErrorStage::kPrepare);
}

TEST(JudgeLookupTest, AKeyThatTheQueryDoesNotTakeIsToldAtOnce) {
  for (const Fault fault : {Fault::kKey, Fault::kNotPreparable}) {
    Expect(JudgeLookup({.fault = fault, .untried_host = true}), {.next = Next::kRetry});
  }
}

TEST(JudgeLookupTest, AQueryThatIsWrongIsAskedOfAnotherHostAndThenIsTheTablesFault) {
  Expect(JudgeLookup({.fault = Fault::kStatement, .untried_host = true}),
         {.next = Next::kAgain, .attempt = Attempt::kExhausted, .lesson = Lesson::kTextFailed});
  Expect(JudgeLookup({.fault = Fault::kStatement}),
         {.next = Next::kConfig, .attempt = Attempt::kExhausted, .lesson = Lesson::kTextFailed});
  Expect(JudgeLookup({.fault = Fault::kStatement, .form = StatementForm::kPrepared}),
         {.next = Next::kConfig, .attempt = Attempt::kExhausted, .lesson = Lesson::kTextFailed});
}

TEST(JudgeLookupTest, ParametersThatAreRefusedAreTakenOutOfTheQuery) {
  Expect(JudgeLookup({.fault = Fault::kStatement, .form = StatementForm::kParameterized}),
         {.next = Next::kAgain,
          .attempt = Attempt::kTakenBack,
          .lesson = Lesson::kRefused,
          .as_text = true});
}

TEST(JudgeLookupTest, AParameterWithoutATypeGetsOne) {
  Expect(JudgeLookup({.fault = Fault::kUntyped, .form = StatementForm::kParameterized}),
         {.next = Next::kAgain, .attempt = Attempt::kTakenBack, .lesson = Lesson::kUntyped});
}

TEST(JudgeLookupTest, WhatAnEarlierPlanWasRefusedSaysNothingOfTheNewOne) {
  for (const Fault fault : {Fault::kUntyped, Fault::kStatement}) {
    Expect(JudgeLookup(
               {.fault = fault, .form = StatementForm::kParameterized, .plan_is_current = false}),
           {.next = Next::kAgain, .attempt = Attempt::kTakenBack});
  }
}

TEST(JudgeLookupTest, WhatSomebodyElseCancelledIsTold) {
  Expect(JudgeLookup({.fault = Fault::kCancelled, .untried_host = true}), {.next = Next::kRetry});
}

TEST(JudgeLookupTest, WhatWeCancelledIsAskedAgainAndOfThisHostNotIfItWasTheOne) {
  Expect(
      JudgeLookup(
          {.fault = Fault::kCancelled, .cancel_may_have_hit = true, .cancel_hits_the_one = true}),
      {.next = Next::kAgain, .attempt = Attempt::kExhausted, .cancelled = true});
  Expect(JudgeLookup({.fault = Fault::kCancelled, .cancel_may_have_hit = true}),
         {.next = Next::kAgain, .attempt = Attempt::kCounts, .cancelled = true});
}

TEST(JudgeLookupTest, ALostConflictIsRunAgain) {
  for (const Fault fault : {Fault::kConflict, Fault::kElsewhere}) {
    Expect(JudgeLookup({.fault = fault}), {.next = Next::kAgain});
  }
}

TEST(JudgeLookupTest, AHostInADifficultyIsGivenTimeUnlessAnotherOneMayAnswer) {
  for (const Fault fault : {Fault::kElsewhere, Fault::kHost, Fault::kHostFull}) {
    EXPECT_GT(JudgeLookup({.fault = fault}).pause, Duration::zero());
    EXPECT_EQ(JudgeLookup({.fault = fault, .untried_host = true}).pause, Duration::zero());
  }
  // Its session is gone: the next try needs a new one.
  EXPECT_EQ(JudgeLookup({.fault = Fault::kHost, .fatal = true}).pause, Duration::zero());
  EXPECT_EQ(JudgeLookup({.fault = Fault::kConflict}).pause, Duration::zero());
}

TEST(JudgeLookupTest, APreparedStatementThatFailsIsFollowedByText) {
  Expect(JudgeLookup({.fault = Fault::kVanished}), {.next = Next::kAgain,
                                                    .attempt = Attempt::kTakenBack,
                                                    .lesson = Lesson::kVanished,
                                                    .as_text = true});
  Expect(JudgeLookup({.fault = Fault::kStale}), {.next = Next::kAgain,
                                                 .attempt = Attempt::kTakenBack,
                                                 .lesson = Lesson::kRetired,
                                                 .as_text = true});
}

TEST(JudgeLookupTest, ASessionThatIsOfNoMoreUseEnds) {
  Expect(JudgeLookup({.fault = Fault::kConnection}),
         {.next = Next::kAgain, .attempt = Attempt::kLost, .session_stuck = true});
}

TEST(JudgeLookupTest, AHostInTroubleIsCharged) {
  for (const Fault fault : {Fault::kHostFull, Fault::kHost}) {
    Expect(JudgeLookup({.fault = fault}), {.next = Next::kAgain, .host_failed = true});
    Expect(JudgeLookup({.fault = fault, .fatal = true}),
           {.next = Next::kAgain, .attempt = Attempt::kLost, .host_failed = true});
  }
}

TEST(JudgePrepareTest, WhatCannotBePreparedIsAskedAsText) {
  for (const Fault fault : {Fault::kNotPreparable, Fault::kKey, Fault::kStatement}) {
    EXPECT_EQ(JudgePrepare({.fault = fault}).lesson, Lesson::kRefused);
    EXPECT_EQ(JudgePrepare({.fault = fault, .plan_is_current = false}).lesson, Lesson::kNothing);
  }
  EXPECT_EQ(JudgePrepare({.fault = Fault::kUntyped}).lesson, Lesson::kUntyped);
  EXPECT_EQ(JudgePrepare({.fault = Fault::kUntyped, .plan_is_current = false}).lesson,
            Lesson::kNothing);
  EXPECT_EQ(JudgePrepare({.fault = Fault::kVanished}).lesson, Lesson::kVanished);
}

TEST(JudgePrepareTest, WhatPassesIsTriedLater) {
  for (const Fault fault : {Fault::kConflict, Fault::kElsewhere}) {
    Expect(JudgePrepare({.fault = fault}), {.lesson = Lesson::kPutOff});
  }
  Expect(JudgePrepare({.fault = Fault::kCancelled}),
         {.lesson = Lesson::kPutOff, .cancelled = true});
  for (const Fault fault : {Fault::kHostFull, Fault::kHost}) {
    Expect(JudgePrepare({.fault = fault}), {.lesson = Lesson::kPutOff, .host_failed = true});
  }
}

TEST(JudgePrepareTest, ASessionThatIsOfNoMoreUseEnds) {
  Expect(JudgePrepare({.fault = Fault::kConnection}), {.session_stuck = true});
}

// What the server says that it ran, and the rows that came.
class AsItCountsTest : public PolicyWorld {
 protected:
  StatementResult Count(std::string_view tag, std::size_t rows, std::size_t columns = 1) {
    const fakes::ScriptedRows answer(std::vector<std::optional<std::string>>(rows, "v"), columns);
    StatementResult result;
    result.tag = tag;
    result.rows = &answer;
    return AsItCounts(connection, work, result);
  }
  bool Fit(std::string_view tag, std::size_t rows, std::size_t columns = 1) {
    const StatementResult counts = Count(tag, rows, columns);
    if (counts.kind == StatementResult::Kind::kRows) return true;
    EXPECT_EQ(counts.kind, StatementResult::Kind::kError);
    EXPECT_EQ(counts.sqlstate, "");
    EXPECT_EQ(counts.message, "the server's answer does not fit the statement");
    return false;
  }
  void Ask(const std::string& query) { work.binding = BoundTable(query, WriteClass::kReads); }

  PoolConnection& connection = Open();
  Work work;
};

TEST_F(AsItCountsTest, ASelectSaysHowManyRowsItHas) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  EXPECT_TRUE(Fit("SELECT 0", 0));
  EXPECT_TRUE(Fit("SELECT 2", 2));
  EXPECT_FALSE(Fit("SELECT 2", 1));
  EXPECT_FALSE(Fit("SELECT 1", 2));
  EXPECT_FALSE(Fit("SELECT ", 0));
  EXPECT_FALSE(Fit("SELECT 1x", 1));
  EXPECT_FALSE(Fit("SELECT x", 1));
}

TEST_F(AsItCountsTest, WithoutColumnsThereAreNoRowsToCount) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  EXPECT_TRUE(Fit("SELECT 5", 0, 0));
}

TEST_F(AsItCountsTest, OtherStatementsSayOtherThings) {
  Ask("INSERT INTO t VALUES ('%s') RETURNING k");
  EXPECT_TRUE(Fit("INSERT 0 1", 1));
  EXPECT_TRUE(Fit("SELECTED 7", 1));
}

TEST_F(AsItCountsTest, OnlyATextWithoutAStatementSaysNothing) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  EXPECT_FALSE(Fit("", 0, 0));
  Ask("-- %s");
  EXPECT_TRUE(Fit("", 0, 0));
  work.kind = Work::Kind::kStamp;
  EXPECT_FALSE(Fit("", 0, 0));
}

TEST_F(AsItCountsTest, APrepareHasNeitherTagNorRows) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  work.kind = Work::Kind::kPrepare;
  EXPECT_TRUE(Fit("", 0, 0));
  EXPECT_FALSE(Fit("", 0, 1));
  EXPECT_FALSE(Fit("SELECT 0", 0, 0));
}

TEST_F(AsItCountsTest, WhatReadsIsAskedAgainWhenItsSessionIsOutdated) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  connection.Outdate();
  EXPECT_EQ(Count("SELECT 1", 1).kind, StatementResult::Kind::kAborted);
  work.needs.may_write = true;
  EXPECT_TRUE(Fit("SELECT 1", 1));
  work.needs.may_write = false;
  work.needs.script = true;
  EXPECT_TRUE(Fit("SELECT 1", 1));
  work.needs.script = false;
  work.kind = Work::Kind::kStamp;
  EXPECT_TRUE(Fit("SELECT 1", 1));
}

TEST_F(AsItCountsTest, AnErrorThatEndsAnOutdatedSessionIsTakenAsItIs) {
  Ask("SELECT v FROM t WHERE k = '%s'");
  connection.Outdate();
  StatementResult error;
  error.kind = StatementResult::Kind::kError;
  error.sqlstate = "57P01";
  EXPECT_EQ(AsItCounts(connection, work, error).kind, StatementResult::Kind::kAborted);
  error.fatal = true;
  EXPECT_EQ(AsItCounts(connection, work, error).kind, StatementResult::Kind::kError);
  EXPECT_EQ(AsItCounts(connection, work, error).sqlstate, "57P01");
}

}  // namespace
}  // namespace proxymux::pgsql
