// The load generator's books: what belongs to the window, and that the open loop counts from the
// time that a lookup was due.
#include "proxy/bench/bench_tally.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "proxy/bench/bench_arrivals.h"

namespace proxymux::proxy {
namespace {

using protocol::Status;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

TEST(BenchArrivals, EvenOnesDoNotDrift) {
  BenchArrivals arrivals(300000, BenchArrivals::Spacing::kEven, 5, 1);
  EXPECT_EQ(arrivals.due(), 5);
  arrivals.Take();
  EXPECT_EQ(arrivals.due(), 5 + 3333);
  for (int i = 1; i < 300000 * 10; ++i) arrivals.Take();
  EXPECT_EQ(arrivals.due(), 5 + 10 * kSecond);
}

TEST(BenchArrivals, PoissonOnesHaveTheRateAndVary) {
  BenchArrivals arrivals(1000, BenchArrivals::Spacing::kPoisson, 0, 1);
  std::uint64_t long_gaps = 0;
  std::int64_t before = 0;
  for (int i = 0; i < 100000; ++i) {
    arrivals.Take();
    ASSERT_GE(arrivals.due(), before);
    if (arrivals.due() - before > 2 * kMs) ++long_gaps;
    before = arrivals.due();
  }
  EXPECT_NEAR(static_cast<double>(before) / kSecond, 100, 2);
  EXPECT_NEAR(static_cast<double>(long_gaps), 100000 * 0.1353, 1000);  // e^-2
}

TEST(BenchTally, OnlyWhatWasDueInTheWindowIsMeasured) {
  BenchTally tally(2);
  tally.Answered(0, 10 * kMs, 20 * kMs, Status::kOk, false);  // before there is a window
  tally.BeginWindow(100 * kMs);
  tally.Answered(0, 99 * kMs, 101 * kMs, Status::kRetry, false);  // due before it
  tally.Answered(0, 100 * kMs, 110 * kMs, Status::kOk, false);
  tally.Answered(1, 150 * kMs, 180 * kMs, Status::kNoKey, true);
  tally.EndWindow(200 * kMs);
  tally.Answered(1, 199 * kMs, 250 * kMs, Status::kConfig, false);  // answered after it
  tally.Answered(1, 200 * kMs, 260 * kMs, Status::kOk, false);      // due after it
  tally.Lost(0, 120 * kMs);
  tally.Malformed(0, 250 * kMs);
  const BenchCounts counts = tally.Counts();
  EXPECT_EQ(counts.ok, 1u);
  EXPECT_EQ(counts.no_key, 1u);
  EXPECT_EQ(counts.config, 1u);
  EXPECT_EQ(counts.retry, 0u);
  EXPECT_EQ(counts.lost, 1u);
  EXPECT_EQ(counts.malformed, 0u);
  EXPECT_EQ(counts.wrong, 1u);
  EXPECT_EQ(counts.Lookups(), 4u);
  EXPECT_EQ(counts.Failed(), 3u);
  EXPECT_EQ(tally.tables()[0].Lookups(), 2u);
  EXPECT_EQ(tally.latencies().count(), 3u);
  EXPECT_EQ(tally.latencies().max().count(), 51 * kMs);
  // Three answers came inside of it, whenever they were asked for.
  EXPECT_NEAR(tally.AnswersPerSecond(), 3 / 0.1, 1e-9);
  EXPECT_NEAR(tally.AnswersPerSecondToLast(), 3 / 0.15, 1e-9);
}

// A service that takes 1 ms for a lookup stalls for one second of ten. One client at 100 lookups/s
// sends one lookup into the stall; measured from the sending, 99.9 % took 1 ms.
TEST(BenchTally, StallIsCountedForEachLookupThatItHeldUp) {
  BenchTally tally(1);
  BenchArrivals arrivals(100, BenchArrivals::Spacing::kEven, 0, 1);
  tally.BeginWindow(0);
  std::int64_t now = 0;
  while (arrivals.due() < 10 * kSecond) {
    now = std::max(now, arrivals.due());
    std::int64_t answered = now + kMs;
    if (now >= 5 * kSecond && now < 6 * kSecond) answered = 6 * kSecond;
    tally.Answered(0, arrivals.due(), answered, Status::kOk, false);
    arrivals.Take();
    now = answered;
  }
  tally.EndWindow(10 * kSecond);
  EXPECT_EQ(tally.Counts().ok, 1000u);
  EXPECT_GE(tally.latencies().Percentile(0.5).count(), kMs);
  EXPECT_LE(tally.latencies().Percentile(0.88).count(), 1.008 * kMs);
  // A tenth of the lookups was held up, for half a second on average.
  EXPECT_GT(tally.latencies().Percentile(0.95).count(), 400 * kMs);
  EXPECT_GE(tally.latencies().max().count(), 1000 * kMs);
}

TEST(BenchTally, LookupsThatWereNeverSentCountWithTheTimeTheyWaited) {
  BenchTally tally(1);
  BenchArrivals arrivals(10, BenchArrivals::Spacing::kEven, 0, 1);
  tally.BeginWindow(0);
  arrivals.Take();  // the first one is asked and never answered in time
  tally.EndWindow(kSecond);
  const std::uint64_t unsent =
      arrivals.TakeAllBefore(kSecond, [&](std::int64_t due) { tally.Unsent(due); });
  EXPECT_EQ(unsent, 9u);
  EXPECT_EQ(tally.unsent(), 9u);
  EXPECT_EQ(arrivals.due(), kSecond);
  EXPECT_EQ(tally.latencies().count(), 9u);
  EXPECT_EQ(tally.latencies().max().count(), 900 * kMs);
  EXPECT_EQ(tally.Counts().Lookups(), 0u);
}

TEST(BenchTally, IntervalsHoldTheWarmUpTooAndStartAfresh) {
  BenchTally tally(1);
  tally.Answered(0, 0, kMs, Status::kOk, false);
  tally.Answered(0, 0, kMs, Status::kRetry, false);
  tally.Answered(0, 0, kMs, Status::kOk, true);
  EXPECT_EQ(tally.interval().latencies.count(), 3u);
  EXPECT_EQ(tally.interval().failed, 2u);
  tally.ClearInterval();
  EXPECT_EQ(tally.interval().latencies.count(), 0u);
  EXPECT_EQ(tally.interval().failed, 0u);
  EXPECT_EQ(tally.latencies().count(), 0u);
}

}  // namespace
}  // namespace proxymux::proxy
