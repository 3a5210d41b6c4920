// Which key is asked for next: uniform, zipfian, mostly a few hot ones, or one after the other; a
// share of them missing. Deterministic: the same settings and seed give the same sequence on every
// machine.
#pragma once

#include <cstdint>
#include <random>

namespace proxymux::proxy {

enum class BenchDistribution { kUniform, kZipfian, kHot, kSequential };

struct BenchMixOptions {
  BenchDistribution distribution = BenchDistribution::kUniform;
  double zipf_exponent = 1.1;  // above 0; the k-th key has the weight 1 / k^exponent
  std::uint64_t hot_keys = 1;  // kHot: the first so many keys ...
  double hot_share = 0.9;      // ... get this share of lookups, the other keys share the rest
  double miss_share = 0;
};

class BenchMix {
 public:
  struct Choice {
    std::uint64_t index = 0;
    bool missing = false;
  };

  // For keys 0 to `size` - 1; size is at least 1.
  BenchMix(const BenchMixOptions& options, std::uint64_t size, std::uint64_t seed);

  Choice Next();

 private:
  double Unit();                             // 0 up to but not 1
  std::uint64_t Below(std::uint64_t bound);  // 0 to bound - 1; bound > 0
  std::uint64_t Zipf();
  double ZipfIntegral(double x) const;
  double ZipfIntegralInverse(double x) const;

  BenchMixOptions options_;
  std::uint64_t size_;
  std::mt19937_64 random_;
  std::uint64_t next_ = 0;
  // Of the rejection-inversion method.
  double integral_of_first_ = 0, integral_of_last_ = 0, always_accepted_ = 0;
};

}  // namespace proxymux::proxy
