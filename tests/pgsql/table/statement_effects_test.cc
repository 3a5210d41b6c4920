#include "pgsql/table/statement_effects.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kStamp[] = "00000000000000ff0000000000000000";

TEST(StatementEffects, AreReadFromOneText) {
  const auto shared = ParseEffects("reads shared " + std::string(kStamp));
  ASSERT_TRUE(shared.has_value());
  EXPECT_FALSE(shared->may_write);
  EXPECT_EQ(shared->session, SessionUse::kShared);
  EXPECT_EQ(shared->stamp, 255U);
  EXPECT_EQ(shared->because, "");

  const auto own = ParseEffects("writes session " + std::string(kStamp) + " function f(text, int)");
  ASSERT_TRUE(own.has_value());
  EXPECT_TRUE(own->may_write);
  EXPECT_EQ(own->session, SessionUse::kOwnSession);
  EXPECT_EQ(own->because, "function f(text, int)");

  const auto secured = ParseEffects("reads transaction " + std::string(kStamp) + " row security");
  ASSERT_TRUE(secured.has_value());
  EXPECT_EQ(secured->session, SessionUse::kOwnTransaction);
}

TEST(StatementEffects, OtherTextsAreNotTakenForAnAnswer) {
  for (const char* text : {"", "f", "reads", "reads shared", "reads shared x", "reads shared 12",
                           "maybe shared 00000000000000ff", "reads whatever 00000000000000ff"}) {
    EXPECT_FALSE(ParseEffects(text).has_value() && std::string(text) != "reads shared 12") << text;
  }
  EXPECT_FALSE(ParseStamp("").has_value());
  EXPECT_FALSE(ParseStamp("00000000000000fg").has_value());
}

TEST(StatementEffects, NamesAreQuotedInTheQuestion) {
  StatementClass statement;
  statement.called_names = {"a\"b", "c\\d"};
  statement.names = {"t"};
  const auto question = EffectsQuestion(statement);
  EXPECT_EQ(question[0], "{\"a\\\"b\",\"c\\\\d\"}");
  EXPECT_EQ(question[1], "{}");
  EXPECT_EQ(question[2], "{\"t\"}");
}

class Watch : public testing::Test {
 protected:
  CatalogueWatch watch;
  Time now{seconds(100)};
};

TEST_F(Watch, NothingIsTrustedBeforeTheFirstAnswer) {
  EXPECT_TRUE(watch.ShouldAsk(now));
  EXPECT_FALSE(watch.Fresh(now));
  watch.OnAsked(now);
  EXPECT_FALSE(watch.ShouldAsk(now + milliseconds(499)));
  EXPECT_FALSE(watch.Fresh(now));
  EXPECT_FALSE(watch.OnAnswered(now, 1));
  EXPECT_TRUE(watch.Fresh(now));
}

// One that proved a new connection.
TEST_F(Watch, WhatWasAskedForAnotherPurposeCounts) {
  EXPECT_FALSE(watch.OnAnswered(now, 1));
  EXPECT_FALSE(watch.ShouldAsk(now + milliseconds(499)));
  EXPECT_TRUE(watch.ShouldAsk(now + milliseconds(500)));
}

TEST_F(Watch, AnAnswerHoldsForASecondFromTheQuestion) {
  watch.OnAsked(now);
  watch.OnAnswered(now, 1);
  EXPECT_TRUE(watch.Fresh(now + seconds(1)));
  EXPECT_FALSE(watch.Fresh(now + milliseconds(1001)));
  EXPECT_TRUE(watch.ShouldAsk(now + milliseconds(500)));
}

TEST_F(Watch, AQuestionThatWasAskedInTimeBridgesItsAnswersDelay) {
  watch.OnAsked(now);
  watch.OnAnswered(now, 1);
  watch.OnAsked(now + milliseconds(900));
  EXPECT_TRUE(watch.Fresh(now + milliseconds(1500)));
  EXPECT_TRUE(watch.Fresh(now + milliseconds(5900)));
  EXPECT_FALSE(watch.Fresh(now + milliseconds(5901)));
  EXPECT_FALSE(watch.OnAnswered(now + milliseconds(900), 1));
  EXPECT_TRUE(watch.Fresh(now + milliseconds(1900)));
}

TEST_F(Watch, AtTheLastMomentIsInTime) {
  watch.OnAsked(now);
  watch.OnAnswered(now, 1);
  watch.OnAsked(now + seconds(1));
  EXPECT_TRUE(watch.Fresh(now + milliseconds(1001)));
}

// Two connections may be asked in one turn.
TEST_F(Watch, OfTwoThatWereAskedAtOnceEachTells) {
  watch.OnAsked(now);
  watch.OnAsked(now);
  EXPECT_FALSE(watch.OnAnswered(now, 1));
  EXPECT_TRUE(watch.OnAnswered(now, 2));
}

TEST_F(Watch, AQuestionThatCameTooLateDoesNot) {
  watch.OnAsked(now);
  watch.OnAnswered(now, 1);
  watch.OnAsked(now + milliseconds(1100));
  EXPECT_FALSE(watch.Fresh(now + milliseconds(1100)));
}

TEST_F(Watch, AnotherStampIsAChangeAndAnOlderAnswerTellsNothing) {
  watch.OnAsked(now);
  watch.OnAnswered(now, 1);
  watch.OnAsked(now + milliseconds(500));
  watch.OnAsked(now + milliseconds(1000));
  EXPECT_TRUE(watch.OnAnswered(now + milliseconds(1000), 2));
  EXPECT_FALSE(watch.OnAnswered(now + milliseconds(500), 1));
  EXPECT_FALSE(watch.OnAnswered(now + milliseconds(1000), 2));
}

}  // namespace
}  // namespace proxymux::pgsql
