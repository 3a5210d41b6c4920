#include "proxy/bench/bench_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace proxymux::proxy {

std::size_t BenchHistogram::BucketOf(std::uint64_t ns) {
  if (ns < kSubBuckets) return ns;
  if (ns >> kMaxBits != 0) return kBuckets - 1;
  // The highest bit gives the doubling, the seven below it the bucket within.
  const int shift = std::bit_width(ns) - 1 - kSubBucketBits;
  return static_cast<std::size_t>(shift) * kSubBuckets + (ns >> shift);
}

std::uint64_t BenchHistogram::LastValueOf(std::size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t first = (bucket % kSubBuckets + kSubBuckets) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

void BenchHistogram::Record(std::int64_t signed_ns) {
  const std::uint64_t ns = signed_ns > 0 ? static_cast<std::uint64_t>(signed_ns) : 0;
  ++buckets_[BucketOf(ns)];
  min_ = count_ == 0 ? ns : std::min(min_, ns);
  max_ = std::max(max_, ns);
  sum_ += static_cast<double>(ns);
  ++count_;
}

void BenchHistogram::Merge(const BenchHistogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

void BenchHistogram::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), 0);
  count_ = min_ = max_ = 0;
  sum_ = 0;
}

double BenchHistogram::Mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t BenchHistogram::Percentile(double fraction) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  // The last value needs no bucket, and in the last bucket there is no bound.
  if (rank == count_) return max_;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(LastValueOf(i), max_);
  }
  return max_;
}

}  // namespace proxymux::proxy
