#include "pgsql/pipeline/pipeline_ledger.h"

#include <gtest/gtest.h>

#include <array>

#include "pgsql/work/work.h"

namespace proxymux::pgsql {
namespace {

using Expected = PipelineLedger::Expected;

class Ledger : public testing::Test {
 protected:
  PipelineLedger ledger;
  std::array<Work, 3> work;
};

TEST_F(Ledger, AnEmptyOneExpectsNothing) {
  EXPECT_EQ(ledger.Next(), Expected::kNothing);
  EXPECT_EQ(ledger.statements(), 0U);
  EXPECT_FALSE(ledger.batch_open());
  EXPECT_TRUE(ledger.TakeUnanswered().empty());
}

TEST_F(Ledger, ASyncNeedsABatch) {
  EXPECT_FALSE(ledger.PushSync());
  ledger.PushStatement(&work[0]);
  EXPECT_TRUE(ledger.batch_open());
  EXPECT_TRUE(ledger.PushSync());
  EXPECT_FALSE(ledger.batch_open());
  EXPECT_FALSE(ledger.PushSync());
}

TEST_F(Ledger, AnswersComeInTheOrderOfTheStatementsWithTheSyncsBetween) {
  ledger.PushStatement(&work[0]);
  ledger.PushStatement(&work[1]);
  ledger.PushSync();
  ledger.PushStatement(&work[2]);
  ledger.PushSync();
  EXPECT_EQ(ledger.statements(), 3U);
  EXPECT_EQ(ledger.PopStatement(), &work[0]);
  EXPECT_EQ(ledger.PopStatement(), &work[1]);
  EXPECT_EQ(ledger.Next(), Expected::kSync);
  ledger.PopSync();
  EXPECT_EQ(ledger.Next(), Expected::kStatement);
  EXPECT_EQ(ledger.PopStatement(), &work[2]);
  EXPECT_EQ(ledger.statements(), 0U);
  EXPECT_EQ(ledger.Next(), Expected::kSync);
  ledger.PopSync();
  EXPECT_EQ(ledger.Next(), Expected::kNothing);
}

TEST_F(Ledger, WhatWasNotAnsweredIsHandedBackOldestFirstWithOrWithoutASync) {
  ledger.PushStatement(&work[0]);
  ledger.PushSync();
  ledger.PushStatement(&work[1]);
  ledger.PushStatement(&work[2]);
  ledger.PopStatement();
  EXPECT_EQ(ledger.TakeUnanswered(), (std::vector<Work*>{&work[1], &work[2]}));
  EXPECT_EQ(ledger.Next(), Expected::kNothing);
  EXPECT_FALSE(ledger.batch_open());
  EXPECT_EQ(ledger.statements(), 0U);
  EXPECT_FALSE(ledger.PushSync());
}

TEST_F(Ledger, ABatchThatHoldsItsAnswersKeepsItsStatementsUntilTheSync) {
  ledger.PushStatement(&work[0]);
  ledger.PushSync();
  ledger.PushStatement(&work[1]);
  ledger.PushSync(/*holds=*/true);
  ledger.PushStatement(&work[2]);
  EXPECT_FALSE(ledger.Holds(0));
  ledger.PopStatement();
  ledger.PopSync();
  EXPECT_TRUE(ledger.Holds(0));
  EXPECT_EQ(ledger.Next(1), Expected::kSync);
  EXPECT_EQ(ledger.Next(2), Expected::kStatement);
  EXPECT_FALSE(ledger.Holds(2));
  EXPECT_EQ(ledger.Next(3), Expected::kNothing);
  EXPECT_EQ(ledger.TakeUnanswered(), (std::vector<Work*>{&work[1], &work[2]}));
}

TEST_F(Ledger, WhateverIsPushedOpensABatch) {
  ledger.PushJitOff();
  EXPECT_TRUE(ledger.batch_open());
  EXPECT_TRUE(ledger.PushSync());
  ledger.PushCheck();
  EXPECT_TRUE(ledger.batch_open());
  EXPECT_TRUE(ledger.PushSync());
  EXPECT_FALSE(ledger.batch_open());
}

TEST_F(Ledger, AllStatementsOfThatBatchAreHeld) {
  ledger.PushStatement(&work[0]);
  ledger.PushStatement(&work[1]);
  ledger.PushSync(/*holds=*/true);
  EXPECT_TRUE(ledger.Holds(0));
  EXPECT_TRUE(ledger.Holds(1));
  EXPECT_FALSE(ledger.Holds(2));  // its Sync
}

TEST_F(Ledger, ACheckIsAnsweredInItsPlaceAndIsNobodysStatement) {
  ledger.PushCheck();
  EXPECT_TRUE(ledger.batch_open());
  ledger.PushStatement(&work[0]);
  ledger.PushSync(/*holds=*/true);
  EXPECT_EQ(ledger.statements(), 1U);
  EXPECT_EQ(ledger.Next(), Expected::kCheck);
  ledger.PopCheck();
  EXPECT_EQ(ledger.Next(), Expected::kStatement);
  ledger.PushCheck();
  EXPECT_EQ(ledger.TakeUnanswered(), std::vector<Work*>{&work[0]});
}

TEST_F(Ledger, KeepsTheOrderHoweverManyAreInFlight) {
  std::vector<Work> many(1000);
  std::size_t sent = 0;
  std::size_t answered = 0;
  const auto answer = [&](std::size_t count) {
    for (; count > 0; --count) {
      while (ledger.Next() == Expected::kSync) ledger.PopSync();
      ASSERT_EQ(ledger.PopStatement(), &many[answered++]);
    }
  };
  for (std::size_t batch = 1; sent + batch <= many.size(); batch += 3) {
    for (std::size_t i = 0; i < batch; ++i) ledger.PushStatement(&many[sent++]);
    ledger.PushSync();
    answer(batch / 2);
  }
  EXPECT_EQ(ledger.statements(), sent - answered);
  answer(sent - answered);
  ledger.PopSync();
  EXPECT_EQ(ledger.Next(), Expected::kNothing);
}

}  // namespace
}  // namespace proxymux::pgsql
