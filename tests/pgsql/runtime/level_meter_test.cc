// What a level added up to, and how high it was lately.
#include "pgsql/runtime/level_meter.h"

#include <gtest/gtest.h>

namespace proxymux::pgsql {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kStart{hours(5)};

TEST(LevelMeter, AddsUpLevelTimesTime) {
  LevelMeter meter;
  EXPECT_EQ(meter.Area(kStart), Duration::zero());
  meter.Set(kStart, 3);
  EXPECT_EQ(meter.level(), 3U);
  EXPECT_EQ(meter.Area(kStart + seconds(2)), seconds(6));
  meter.Set(kStart + seconds(2), 0);
  EXPECT_EQ(meter.Area(kStart + seconds(9)), seconds(6));
  meter.Set(kStart + seconds(9), 1);
  EXPECT_EQ(meter.Area(kStart + seconds(10)), seconds(7));
}

TEST(LevelMeter, TheHighestIsSeenForAMinuteAndForgottenAfterTwo) {
  LevelMeter meter;
  meter.Set(kStart, 9);
  meter.Set(kStart, 1);
  for (int second = 0; second <= 60; ++second) {
    EXPECT_EQ(meter.Highest(kStart + seconds(second)), 9U) << second;
  }
  EXPECT_EQ(meter.Highest(kStart + seconds(120)), 1U);
  meter.Set(kStart + seconds(59), 9);
  meter.Set(kStart + seconds(59), 2);
  meter.Set(kStart + seconds(61), 5);
  meter.Set(kStart + seconds(62), 2);
  EXPECT_EQ(meter.Highest(kStart + seconds(119)), 9U) << "a minute ago";
  EXPECT_EQ(meter.Highest(kStart + seconds(121)), 5U);
}

TEST(LevelMeter, ALevelThatStaysIsTheHighest) {
  LevelMeter meter;
  meter.Set(kStart, 4);
  EXPECT_EQ(meter.Highest(kStart + hours(3)), 4U);
  meter.Set(kStart + hours(3), 2);
  EXPECT_EQ(meter.Highest(kStart + hours(3)), 4U) << "until just now";
  EXPECT_EQ(meter.Highest(kStart + hours(3) + seconds(121)), 2U);
}

}  // namespace
}  // namespace proxymux::pgsql
