#include "pgsql/runtime/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace proxymux::pgsql {

template <typename UnitType, int sub_bucket_bits, int max_bits>
std::size_t DurationHistogram<UnitType, sub_bucket_bits, max_bits>::BucketOf(std::uint64_t value) {
  if (value >> kMaxBits != 0) return kBuckets - 1;
  if (value < kSubBuckets) return value;
  // The highest bit gives the doubling, those below it the bucket within.
  const int shift = std::bit_width(value) - 1 - kSubBucketBits;
  return static_cast<std::size_t>(shift) * kSubBuckets + (value >> shift);
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
std::uint64_t DurationHistogram<UnitType, sub_bucket_bits, max_bits>::LastValueOf(
    std::size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const std::size_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t first = (bucket % kSubBuckets + kSubBuckets) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
void DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Record(
    std::chrono::nanoseconds latency) {
  const std::int64_t whole = std::chrono::duration_cast<Unit>(latency).count();
  const std::uint64_t value = whole > 0 ? static_cast<std::uint64_t>(whole) : 0;
  ++buckets_[BucketOf(value)];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += value;
  ++count_;
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
void DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Merge(const DurationHistogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
UnitType DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Mean() const {
  return Unit(count_ == 0 ? 0 : sum_ / count_);
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
UnitType DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Percentile(double fraction) const {
  if (count_ == 0) return Unit(0);
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return Unit(std::min(LastValueOf(i), max_));
  }
  return Unit(max_);
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
typename DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Kept
DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Keep() const {
  Kept kept;
  kept.count = count_;
  kept.sum = sum_;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (buckets_[i] > 0) kept.buckets.emplace_back(static_cast<std::uint16_t>(i), buckets_[i]);
  }
  return kept;
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
DurationHistogram<UnitType, sub_bucket_bits, max_bits>
DurationHistogram<UnitType, sub_bucket_bits, max_bits>::Since(const Kept& earlier) const {
  DurationHistogram since = *this;
  since.count_ -= earlier.count;
  since.sum_ -= earlier.sum;
  for (const auto& [bucket, count] : earlier.buckets) since.buckets_[bucket] -= count;
  since.min_ = since.max_ = 0;
  bool first = true;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (since.buckets_[i] == 0) continue;
    if (std::exchange(first, false)) since.min_ = i == 0 ? 0 : LastValueOf(i - 1) + 1;
    since.max_ = i + 1 < kBuckets ? LastValueOf(i) : max_;
  }
  since.max_ = std::min(since.max_, max_);
  return since;
}

template <typename UnitType, int sub_bucket_bits, int max_bits>
std::uint64_t DurationHistogram<UnitType, sub_bucket_bits, max_bits>::CountBelowPowerOfTwo(
    int bits) const {
  const std::size_t end = BucketOf(std::uint64_t{1} << bits);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < end; ++i) below += buckets_[i];
  return below;
}

template class DurationHistogram<std::chrono::microseconds, 3, 27>;
template class DurationHistogram<std::chrono::nanoseconds, 7, 41>;

}  // namespace proxymux::pgsql
