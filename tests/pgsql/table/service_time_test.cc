// When a table's statements are slow enough to be kept away from others.

#include "pgsql/table/service_time.h"

#include <gtest/gtest.h>

#include <chrono>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ServiceTime Quick() {
  ServiceTime time;
  time.Record(milliseconds(1));
  return time;
}

TEST(ServiceTime, IsSlowUntilItIsKnown) {
  ServiceTime time;
  EXPECT_TRUE(time.slow());
  time.Record(milliseconds(1));
  EXPECT_FALSE(time.slow());
  EXPECT_EQ(time.average(), milliseconds(1));
}

TEST(ServiceTime, TheFirstMeasurementCounts) {
  ServiceTime time;
  time.Record(milliseconds(200));
  EXPECT_TRUE(time.slow());
}

TEST(ServiceTime, OneSlowishAnswerAmongQuickOnesIsForgiven) {
  ServiceTime time = Quick();
  time.Record(milliseconds(80));
  EXPECT_FALSE(time.slow());
  time.Record(milliseconds(1));
  EXPECT_LT(time.average(), milliseconds(20));
}

TEST(ServiceTime, AStatementOf200MillisecondsIsSeenAtOnce) {
  ServiceTime time = Quick();
  time.Record(milliseconds(200));
  EXPECT_TRUE(time.slow());
}

TEST(ServiceTime, ThirtyMillisecondsAreSeenWhenTheyRepeat) {
  ServiceTime time = Quick();
  int needed = 0;
  while (!time.slow() && needed < 100) {
    time.Record(milliseconds(30));
    ++needed;
  }
  EXPECT_GT(needed, 1);
  EXPECT_LT(needed, 10);
}

TEST(ServiceTime, AFrozenServerIsForgottenAfterAFewAnswers) {
  ServiceTime time = Quick();
  time.Record(seconds(6));
  int needed = 0;
  while (time.slow() && needed < 100) {
    time.Record(milliseconds(1));
    ++needed;
  }
  EXPECT_LT(needed, 12);
}

// A processor that is busy delays the first of several; the others' own time shows.
TEST(ServiceTime, DelaysThatOneOfFourMeetsDoNotMakeItSlowForGood) {
  ServiceTime time;
  time.Record(milliseconds(60));
  EXPECT_TRUE(time.slow());
  for (int i = 0; i < 3; ++i) time.Record(milliseconds(0));
  for (int round = 0; round < 20; ++round) {
    time.Record(milliseconds(60));
    for (int i = 0; i < 3; ++i) time.Record(milliseconds(0));
    EXPECT_FALSE(time.slow());
  }
}

TEST(ServiceTime, ASuspectIsSlowUntilItIsMeasured) {
  ServiceTime time = Quick();
  time.Suspect();
  EXPECT_TRUE(time.slow());
  time.Record(milliseconds(1));
  EXPECT_FALSE(time.slow());
}

TEST(ServiceTime, AClockThatStandsStillIsNoHarm) {
  ServiceTime time;
  time.Record(milliseconds(-5));
  EXPECT_FALSE(time.slow());
  EXPECT_EQ(time.average(), Duration::zero());
}

}  // namespace
}  // namespace proxymux::pgsql
