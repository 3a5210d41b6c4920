#include "pgsql/runtime/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace proxymux::pgsql {
namespace {

constexpr std::uint64_t kSubBuckets = 1 << LatencyHistogram::kSubBucketBits;
constexpr std::uint64_t kLimit = std::uint64_t{1} << LatencyHistogram::kMaxBits;

}  // namespace

std::size_t LatencyHistogram::BucketOf(std::uint64_t us) {
  if (us >= kLimit) return kBuckets - 1;
  if (us < kSubBuckets) return us;
  // The highest bit gives the doubling, the three below it the bucket within.
  const int shift = std::bit_width(us) - 1 - kSubBucketBits;
  return static_cast<std::size_t>(shift) * kSubBuckets + (us >> shift);
}

std::uint64_t LatencyHistogram::LastValueOf(std::size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t first = (bucket % kSubBuckets + kSubBuckets) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

void LatencyHistogram::Record(std::chrono::nanoseconds latency) {
  const std::int64_t signed_us = std::chrono::duration_cast<Microseconds>(latency).count();
  const std::uint64_t us = signed_us > 0 ? static_cast<std::uint64_t>(signed_us) : 0;
  ++buckets_[BucketOf(us)];
  ++count_;
  sum_us_ += us;
  max_us_ = std::max(max_us_, us);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_us_ += other.sum_us_;
  max_us_ = std::max(max_us_, other.max_us_);
}

LatencyHistogram::Microseconds LatencyHistogram::Mean() const {
  return Microseconds(count_ == 0 ? 0 : sum_us_ / count_);
}

LatencyHistogram::Microseconds LatencyHistogram::Percentile(double fraction) const {
  if (count_ == 0) return Microseconds(0);
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return Microseconds(std::min(LastValueOf(i), max_us_));
  }
  return Microseconds(max_us_);
}

std::uint64_t LatencyHistogram::CountBelowPowerOfTwo(int bits) const {
  const std::size_t end = bits >= kMaxBits ? kBuckets - 1 : BucketOf(std::uint64_t{1} << bits);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < end; ++i) below += buckets_[i];
  return below;
}

}  // namespace proxymux::pgsql
