#include "pgsql/runtime/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace proxymux::pgsql {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(LatencyHistogram, EmptyHasNoLatency) {
  const LatencyHistogram latency;
  EXPECT_EQ(latency.Percentile(0.99).count(), 0);
  EXPECT_EQ(latency.Mean().count(), 0);
  EXPECT_EQ(latency.CountBelowPowerOfTwo(LatencyHistogram::kMaxBits), 0u);
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram latency;
  for (int us = 0; us < 16; ++us) latency.Record(microseconds(us));
  EXPECT_EQ(latency.Percentile(0.0).count(), 0);
  EXPECT_EQ(latency.Percentile(0.5).count(), 7);
  EXPECT_EQ(latency.Percentile(1.0).count(), 15);
  EXPECT_EQ(latency.CountBelowPowerOfTwo(0), 1u);
  EXPECT_EQ(latency.CountBelowPowerOfTwo(3), 8u);
  EXPECT_EQ(latency.sum().count(), 120);
}

TEST(LatencyHistogram, PercentilesAreNeverLowAndAtMostAnEighthHigh) {
  std::mt19937_64 engine(7);
  std::lognormal_distribution<double> distribution(7.0, 2.0);
  LatencyHistogram latency;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(std::min<std::int64_t>(static_cast<std::int64_t>(distribution(engine)),
                                            (1 << LatencyHistogram::kMaxBits) - 1));
    latency.Record(microseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20000)) - 1;
    const std::int64_t exact = values[rank];
    const std::int64_t told = latency.Percentile(fraction).count();
    EXPECT_GE(told, exact) << fraction;
    EXPECT_LE(told, exact + exact / 8) << fraction;
  }
}

TEST(LatencyHistogram, WhatCameSinceIsAsIfItHadBeenRecordedAlone) {
  LatencyHistogram latency;
  LatencyHistogram later;
  std::mt19937_64 engine(7);
  std::lognormal_distribution<double> distribution(7.0, 2.0);
  const auto next = [&] { return microseconds(static_cast<std::int64_t>(distribution(engine))); };
  for (int i = 0; i < 1000; ++i) latency.Record(next());
  const LatencyHistogram::Kept kept = latency.Keep();
  EXPECT_EQ(latency.Since(kept).count(), 0u);
  EXPECT_EQ(latency.Since(kept).Percentile(0.99).count(), 0);
  for (int i = 0; i < 500; ++i) {
    const microseconds value = next();
    latency.Record(value);
    later.Record(value);
  }
  const LatencyHistogram since = latency.Since(kept);
  EXPECT_EQ(since.count(), 500u);
  EXPECT_EQ(since.sum(), later.sum());
  for (const double fraction : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_EQ(since.Percentile(fraction), later.Percentile(fraction)) << fraction;
  }
  EXPECT_GE(since.max(), later.max());
  EXPECT_LE(since.min(), later.min());
  for (int bits = 0; bits <= LatencyHistogram::kMaxBits; ++bits) {
    EXPECT_EQ(since.CountBelowPowerOfTwo(bits), later.CountBelowPowerOfTwo(bits)) << bits;
  }
}

TEST(LatencyHistogram, PowersOfTwoAreExactLimits) {
  LatencyHistogram latency;
  for (int bits = 0; bits <= LatencyHistogram::kMaxBits; ++bits) {
    latency.Record(microseconds((std::int64_t{1} << bits) - 1));
    latency.Record(microseconds(std::int64_t{1} << bits));
  }
  for (int bits = 0; bits <= LatencyHistogram::kMaxBits; ++bits) {
    EXPECT_EQ(latency.CountBelowPowerOfTwo(bits), 2u * static_cast<unsigned>(bits) + 1) << bits;
  }
}

TEST(LatencyHistogram, WhatIsBeyondAllBucketsIsKept) {
  LatencyHistogram latency;
  latency.Record(seconds(4000));
  latency.Record(seconds(-1));  // a clock that went back
  EXPECT_EQ(latency.count(), 2u);
  EXPECT_EQ(latency.max(), seconds(4000));
  EXPECT_EQ(latency.Percentile(1.0), seconds(4000));
  EXPECT_EQ(latency.CountBelowPowerOfTwo(LatencyHistogram::kMaxBits), 1u);
}

TEST(LatencyHistogram, MergingAdds) {
  LatencyHistogram one;
  LatencyHistogram two;
  one.Record(microseconds(10));
  two.Record(microseconds(1000));
  two.Record(microseconds(3));
  one.Merge(two);
  EXPECT_EQ(one.count(), 3u);
  EXPECT_EQ(one.sum().count(), 1013);
  EXPECT_EQ(one.max().count(), 1000);
  EXPECT_EQ(one.Percentile(0.5).count(), 10);
}

TEST(FineLatencyHistogram, PercentilesAreWithinOnePercentAndNeverTooLow) {
  std::mt19937_64 random(1);
  std::vector<std::int64_t> values;
  FineLatencyHistogram latency;
  for (int i = 0; i < 100000; ++i) {
    values.push_back(static_cast<std::int64_t>((random() >> 24) >> (random() % 40)));
    latency.Record(nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const std::int64_t exact =
        values[static_cast<std::size_t>(fraction * static_cast<double>(values.size()) + 0.5) - 1];
    const std::int64_t told = latency.Percentile(fraction).count();
    EXPECT_GE(told, exact) << fraction;
    EXPECT_LE(static_cast<double>(told), static_cast<double>(exact) * 1.008 + 1) << fraction;
  }
  EXPECT_EQ(latency.min().count(), values.front());
  EXPECT_EQ(latency.max().count(), values.back());
  EXPECT_EQ(latency.count(), values.size());
}

TEST(FineLatencyHistogram, EdgesMergeAndClear) {
  FineLatencyHistogram latency;
  EXPECT_EQ(latency.Percentile(0.5).count(), 0);
  EXPECT_EQ(latency.Mean().count(), 0);
  EXPECT_EQ(latency.min().count(), 0);
  latency.Record(nanoseconds(-5));
  EXPECT_EQ(latency.max().count(), 0);
  FineLatencyHistogram other;
  other.Record(hours(300));
  other.Record(nanoseconds(100));
  latency.Merge(FineLatencyHistogram());
  latency.Merge(other);
  EXPECT_EQ(latency.count(), 3u);
  EXPECT_EQ(latency.Percentile(0.5).count(), 100);
  EXPECT_EQ(latency.Percentile(0.99), hours(300));
  EXPECT_EQ(latency.min().count(), 0);
  latency = FineLatencyHistogram();
  EXPECT_EQ(latency.count(), 0u);
  latency.Merge(other);
  EXPECT_EQ(latency.min().count(), 100) << "not the 0 of the empty one";
  latency = FineLatencyHistogram();
  latency.Record(nanoseconds(77));
  EXPECT_EQ(latency.min().count(), 77);
  EXPECT_EQ(latency.Percentile(1).count(), 77);
}

}  // namespace
}  // namespace proxymux::pgsql
