// How long something took, as counts in fixed buckets: recording is O(1), allocates nothing and
// needs no lock (one thread). Copyable, so that a snapshot is an assignment, and an empty one
// clears.
//
// Log-linear in whole units, as HdrHistogram does it: exact up to 2^kSubBucketBits, then so many
// buckets for each doubling, up to 2^kMaxBits; what takes longer is in the last bucket. A
// percentile is the upper end of its bucket, so it may be too high by one part in 2^kSubBucketBits,
// and is never too low; the least and the greatest value and the sum are exact. A time below 0 (a
// clock that went back) counts as 0.
//
// There are two, since one resolution does not do for both: LatencyHistogram is small, for the many
// that a service keeps and copies; FineLatencyHistogram is for few, whose figures are compared.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace proxymux::pgsql {

template <typename UnitType, int sub_bucket_bits, int max_bits>
class DurationHistogram {
 public:
  using Unit = UnitType;

  static constexpr int kSubBucketBits = sub_bucket_bits;
  static constexpr int kMaxBits = max_bits;

  void Record(std::chrono::nanoseconds latency);
  void Merge(const DurationHistogram& other);

  std::uint64_t count() const { return count_; }
  Unit sum() const { return Unit(sum_); }
  Unit min() const { return Unit(min_); }  // 0 when there are none
  Unit max() const { return Unit(max_); }
  Unit Mean() const;  // rounded down; 0 when there are none

  // The smallest bound that at least `fraction` (0 to 1) of the values do not exceed; 0 when there
  // are none.
  Unit Percentile(double fraction) const;

  // The buckets that are not empty, for who keeps many of these for a while.
  struct Kept {
    std::vector<std::pair<std::uint16_t, std::uint64_t>> buckets;  // which one, and how many
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
  };
  Kept Keep() const;
  // What was recorded since it was like that, which it has been. Its least and greatest value are
  // limits of buckets.
  DurationHistogram Since(const Kept& earlier) const;

  // How many values were below 2^bits units; exact, since these are bucket limits. 0 <= bits <=
  // kMaxBits.
  std::uint64_t CountBelowPowerOfTwo(int bits) const;

 private:
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBucketBits;
  // The last one is for what is beyond all others.
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBucketBits + 1) * kSubBuckets + 1;

  static std::size_t BucketOf(std::uint64_t value);
  static std::uint64_t LastValueOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
};

// At most 12.5 % too high, up to 2^27 us (134 s); 1.6 KB.
using LatencyHistogram = DurationHistogram<std::chrono::microseconds, 3, 27>;
// At most 0.8 % too high, up to 2^41 ns (36 minutes); 36 KB.
using FineLatencyHistogram = DurationHistogram<std::chrono::nanoseconds, 7, 41>;

extern template class DurationHistogram<std::chrono::microseconds, 3, 27>;
extern template class DurationHistogram<std::chrono::nanoseconds, 7, 41>;

}  // namespace proxymux::pgsql
