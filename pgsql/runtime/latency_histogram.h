// How long something took, as counts in fixed buckets: recording is O(1), allocates nothing and
// needs no lock (one thread).
//
// Log-linear in microseconds: 0 to 7 exactly, then 8 buckets for each doubling, up to about 134 s;
// what takes longer is in the last bucket. A percentile is thus at most 12.5 % too high, never too
// low. Copyable, so that a snapshot is an assignment.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace proxymux::pgsql {

class LatencyHistogram {
 public:
  using Microseconds = std::chrono::microseconds;

  static constexpr int kSubBucketBits = 3;
  static constexpr int kMaxBits = 27;  // 2^27 us = 134.2 s
  static constexpr std::size_t kBuckets =
      (static_cast<std::size_t>(kMaxBits - kSubBucketBits) + 1) * (1 << kSubBucketBits) + 1;

  void Record(std::chrono::nanoseconds latency);
  void Merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  Microseconds sum() const { return Microseconds(sum_us_); }
  Microseconds max() const { return Microseconds(max_us_); }
  Microseconds Mean() const;

  // The smallest bound that at least `fraction` (0 to 1) of the values do not exceed; 0 when there
  // are none.
  Microseconds Percentile(double fraction) const;

  // How many values were below 2^bits microseconds; exact, since these are bucket limits. 0 <= bits
  // <= kMaxBits.
  std::uint64_t CountBelowPowerOfTwo(int bits) const;

 private:
  static std::size_t BucketOf(std::uint64_t us);
  static std::uint64_t LastValueOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_us_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace proxymux::pgsql
