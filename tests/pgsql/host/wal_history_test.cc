// Positions of a log and when they were reached.
#include "pgsql/host/wal_history.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/pgsql/host/real_times.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WalHistory, AnEmptyOneKnowsNothing) {
  const WalHistory history;
  EXPECT_TRUE(history.empty());
  EXPECT_EQ(history.KnownUntil(100), std::nullopt);
}

TEST(WalHistory, WhoHasAllThatIsKnownKnewItWhenItWasSeenLast) {
  WalHistory history;
  history.Add(100, At(0));
  history.Add(100, At(5));
  EXPECT_EQ(history.KnownUntil(100), At(5));
  EXPECT_EQ(history.KnownUntil(130), At(5));
  EXPECT_EQ(history.KnownUntil(99), std::nullopt);
  EXPECT_EQ(history.newest(), 100U);
  EXPECT_EQ(history.newest_seen(), At(5));
}

TEST(WalHistory, WhoLacksSomethingKnowsWhatWasThereWhenTheLogWasWhereItIs) {
  WalHistory history;
  for (int second = 0; second < 10; ++second) {
    history.Add(100 + 2 * static_cast<std::uint64_t>(second), At(second));
  }
  EXPECT_EQ(history.KnownUntil(118), At(9));
  EXPECT_EQ(history.KnownUntil(117), At(8));
  EXPECT_EQ(history.KnownUntil(110), At(5));
  EXPECT_EQ(history.KnownUntil(100), At(0));
  EXPECT_EQ(history.KnownUntil(99), std::nullopt);
  EXPECT_EQ(history.Oldest(), At(0));
}

// Nothing was written until just now: nobody can be further behind than that.
TEST(WalHistory, AsLongAsNothingIsWrittenWhatIsThereStaysNew) {
  WalHistory history;
  for (int second = 0; second < 100; ++second) history.Add(100, At(second));
  history.Add(200, At(100));
  EXPECT_EQ(history.KnownUntil(100), At(99));
}

TEST(WalHistory, WhatWasSeenTooLateDoesNotCount) {
  WalHistory history;
  history.Add(100, At(1));
  history.Add(90, At(2));
  EXPECT_EQ(history.newest(), 100U);
  EXPECT_EQ(history.KnownUntil(95), std::nullopt);
}

TEST(WalHistory, StepsAreNotFinerThanNeeded) {
  WalHistory history;
  for (int i = 0; i < 100; ++i) {
    history.Add(1 + static_cast<std::uint64_t>(i), At(0) + i * milliseconds(10));
  }
  EXPECT_EQ(history.KnownUntil(100), At(0.99)) << "where it is now is known exactly";
  EXPECT_EQ(history.KnownUntil(99), At(0.75));
  EXPECT_EQ(history.KnownUntil(76), At(0.75));
  EXPECT_EQ(history.KnownUntil(75), At(0.5));
}

// The older, the coarser; and nothing is forgotten.
TEST(WalHistory, ReachesBackToItsBeginning) {
  WalHistory history;
  constexpr int kSteps = 100000;
  for (int step = 0; step < kSteps; ++step) {
    history.Add(static_cast<std::uint64_t>(step), kNow + step * milliseconds(500));
  }
  EXPECT_EQ(history.Oldest(), kNow);
  const auto error = [&](int ago) {
    const int step = kSteps - 1 - ago;
    const RealTime exact = kNow + step * milliseconds(500);
    const RealTime known = *history.KnownUntil(static_cast<std::uint64_t>(step));
    EXPECT_LE(known, exact);
    return exact - known;
  };
  EXPECT_LE(error(10), milliseconds(500));
  for (int ago = 20; ago < kSteps; ago *= 2) {
    EXPECT_LE(error(ago), ago * milliseconds(250)) << ago << " steps ago";
  }
}

}  // namespace
}  // namespace proxymux::pgsql
