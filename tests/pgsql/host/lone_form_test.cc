// Which protocol is better for a lookup that is alone, by measure.
#include "pgsql/host/lone_form.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LoneFormTest : public testing::Test {
 protected:
  // One lookup, answered at once.
  Protocol Look(const void* table) {
    const Protocol protocol = form.Choose(table, now);
    form.OnAnswered(table, protocol, protocol == Protocol::kSimple ? simple : extended, now);
    return protocol;
  }
  void Look(const void* table, std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) Look(table);
  }
  void BeforeTheFirstTrial() { Look(&one, LoneForm::kFirst); }
  void Trial() { Look(&one, 2 * LoneForm::kSamples); }

  LoneForm form;
  Time now{std::chrono::hours(1)};
  Duration simple = microseconds(135);
  Duration extended = microseconds(226);
  int one = 0;
  int other = 0;
};

TEST_F(LoneFormTest, TheUsualFormIsTakenUntilItIsMeasured) {
  for (std::size_t i = 0; i < LoneForm::kFirst; ++i) EXPECT_EQ(Look(&one), Protocol::kExtended);
  EXPECT_EQ(Look(&one), Protocol::kSimple);
}

TEST_F(LoneFormTest, InATrialBothGoInTurn) {
  BeforeTheFirstTrial();
  for (std::size_t i = 0; i < LoneForm::kSamples; ++i) {
    EXPECT_EQ(form.better(), Protocol::kExtended);
    EXPECT_EQ(Look(&one), Protocol::kSimple);
    EXPECT_EQ(Look(&one), Protocol::kExtended);
  }
  EXPECT_EQ(form.better(), Protocol::kSimple);
}

TEST_F(LoneFormTest, TheOneThatIsAnsweredSoonerIsTaken) {
  BeforeTheFirstTrial();
  Trial();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Look(&one), Protocol::kSimple);
  EXPECT_EQ(Look(&other), Protocol::kSimple);
}

TEST_F(LoneFormTest, TheUsualOneStaysWhereItIsBetter) {
  extended = microseconds(50);
  BeforeTheFirstTrial();
  Trial();
  EXPECT_EQ(form.better(), Protocol::kExtended);
  EXPECT_EQ(Look(&one), Protocol::kExtended);
}

TEST_F(LoneFormTest, WhatIsHardlyBetterChangesNothing) {
  BeforeTheFirstTrial();
  extended = microseconds(145);  // simple is better by less than a tenth
  Trial();
  EXPECT_EQ(form.better(), Protocol::kExtended);
  now += minutes(10);
  extended = microseconds(226);
  Trial();
  EXPECT_EQ(form.better(), Protocol::kSimple);
  now += minutes(10);
  extended = microseconds(125);
  Trial();
  EXPECT_EQ(form.better(), Protocol::kSimple);
  now += minutes(10);
  extended = microseconds(120);
  Trial();
  EXPECT_EQ(form.better(), Protocol::kExtended);
}

TEST_F(LoneFormTest, FewThatTookLongDecideNothing) {
  BeforeTheFirstTrial();
  for (std::size_t i = 0; i < 2 * LoneForm::kSamples; ++i) {
    simple = i < LoneForm::kSamples - 1 ? seconds(1) : microseconds(100);
    Look(&one);
  }
  EXPECT_EQ(form.better(), Protocol::kSimple);
}

TEST_F(LoneFormTest, ThereIsATrialEveryTenMinutes) {
  BeforeTheFirstTrial();
  Trial();
  now += minutes(10) - seconds(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Look(&one), Protocol::kSimple);
  now += seconds(1);
  EXPECT_EQ(Look(&one), Protocol::kSimple);
  EXPECT_EQ(Look(&one), Protocol::kExtended);
}

// What takes long in one table may be quick in another.
TEST_F(LoneFormTest, ATrialIsOfOneTable) {
  BeforeTheFirstTrial();
  EXPECT_EQ(Look(&one), Protocol::kSimple);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Look(&other), Protocol::kExtended);
  EXPECT_EQ(Look(&one), Protocol::kExtended);
  EXPECT_EQ(Look(&one), Protocol::kSimple);
}

TEST_F(LoneFormTest, WhatAnotherTableTakesIsNoneOfIt) {
  BeforeTheFirstTrial();
  Look(&one);
  for (std::size_t i = 0; i < LoneForm::kSamples; ++i) {
    form.OnAnswered(&other, Protocol::kExtended, microseconds(1), now);
  }
  Trial();
  EXPECT_EQ(form.better(), Protocol::kSimple);
}

TEST_F(LoneFormTest, ATableThatIsNotAskedForAnyMoreGivesWay) {
  BeforeTheFirstTrial();
  Look(&one, 10);
  now += minutes(1) - seconds(1);
  EXPECT_EQ(Look(&other), Protocol::kExtended);
  now += seconds(1);
  for (std::size_t i = 0; i < LoneForm::kSamples; ++i) {
    EXPECT_EQ(form.better(), Protocol::kExtended);
    EXPECT_EQ(Look(&other), Protocol::kSimple);
    EXPECT_EQ(Look(&other), Protocol::kExtended);
  }
  EXPECT_EQ(form.better(), Protocol::kSimple);
}

// Lookups that failed, or were asked of another host, are not told. Where many of one protocol do,
// it is not taken.
TEST_F(LoneFormTest, WhereOneIsNotAnsweredTheUsualFormIsTaken) {
  BeforeTheFirstTrial();
  Trial();
  EXPECT_EQ(form.better(), Protocol::kSimple);
  now += minutes(10);
  int sent = 0;
  for (int i = 0; i < 1000; ++i) sent += form.Choose(&one, now) == Protocol::kSimple ? 1 : 0;
  EXPECT_EQ(form.better(), Protocol::kExtended);
  EXPECT_LE(sent, 100);
  now += minutes(10);
  Trial();
  EXPECT_EQ(form.better(), Protocol::kSimple);
}

}  // namespace
}  // namespace proxymux::pgsql
