// Latencies as counts in fixed buckets, finer than pgsql's LatencyHistogram, for figures that are
// compared with each other.
//
// Log-linear in nanoseconds, as HdrHistogram does it: exact up to 127 ns, then 128 buckets for each
// doubling, up to 2^41 ns (36 minutes; what takes longer is in the last bucket). A percentile is
// the upper end of its bucket, so at most 0.8 % too high and never too low; the smallest and the
// greatest value are exact. Recording is O(1) and allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace proxymux::proxy {

class BenchHistogram {
 public:
  BenchHistogram() : buckets_(kBuckets) {}

  void Record(std::int64_t ns);  // what is below 0 counts as 0
  void Merge(const BenchHistogram& other);
  void Clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double Mean() const;

  // The smallest bound that at least `fraction` (0 to 1) of the values do not exceed; 0 when there
  // are none.
  std::uint64_t Percentile(double fraction) const;

 private:
  static constexpr int kSubBucketBits = 7;
  static constexpr int kMaxBits = 41;
  static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBucketBits;
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBucketBits + 1) * kSubBuckets;

  static std::size_t BucketOf(std::uint64_t ns);
  static std::uint64_t LastValueOf(std::size_t bucket);

  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace proxymux::proxy
