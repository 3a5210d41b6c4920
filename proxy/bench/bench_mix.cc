#include "proxy/bench/bench_mix.h"

#include <algorithm>
#include <cmath>

namespace proxymux::proxy {
namespace {

// (e^x - 1) / x and log(1 + x) / x, also where x is near 0.
double ExpOver(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }
double LogOver(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

BenchMix::BenchMix(const BenchMixOptions& options, std::uint64_t size, std::uint64_t seed)
    : options_(options), size_(size), random_(seed) {
  options_.hot_keys = std::min(options_.hot_keys, size_);
  if (options_.distribution == BenchDistribution::kZipfian) {
    integral_of_first_ = ZipfIntegral(1.5) - 1;
    integral_of_last_ = ZipfIntegral(static_cast<double>(size_) + 0.5);
    always_accepted_ =
        2 - ZipfIntegralInverse(ZipfIntegral(2.5) - std::pow(2.0, -options_.zipf_exponent));
  }
}

BenchMix::Choice BenchMix::Next() {
  Choice choice;
  switch (options_.distribution) {
    case BenchDistribution::kUniform:
      choice.index = Below(size_);
      break;
    case BenchDistribution::kZipfian:
      choice.index = Zipf();
      break;
    case BenchDistribution::kHot:
      if (options_.hot_keys == size_ || Unit() < options_.hot_share) {
        choice.index = Below(options_.hot_keys);
      } else {
        choice.index = options_.hot_keys + Below(size_ - options_.hot_keys);
      }
      break;
    case BenchDistribution::kSequential:
      choice.index = next_;
      next_ = next_ + 1 == size_ ? 0 : next_ + 1;
      break;
  }
  choice.missing = options_.miss_share > 0 && Unit() < options_.miss_share;
  return choice;
}

double BenchMix::Unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

// The standard's distributions differ from library to library. For the bounds that occur here the
// high half of the product is even enough.
std::uint64_t BenchMix::Below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(
      (static_cast<unsigned __int128>(random_()) * static_cast<unsigned __int128>(bound)) >> 64);
}

// Rejection-inversion (Hoermann and Derflinger, 1996): exact, no table, and hardly ever a second
// round. ZipfIntegral is an integral of x^-exponent.
double BenchMix::ZipfIntegral(double x) const {
  const double log_x = std::log(x);
  return ExpOver((1 - options_.zipf_exponent) * log_x) * log_x;
}

double BenchMix::ZipfIntegralInverse(double x) const {
  const double t = std::max(-1.0, x * (1 - options_.zipf_exponent));
  return std::exp(LogOver(t) * x);
}

std::uint64_t BenchMix::Zipf() {
  const double last = static_cast<double>(size_);
  while (true) {
    const double u = integral_of_last_ + Unit() * (integral_of_first_ - integral_of_last_);
    const double x = ZipfIntegralInverse(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, last);
    if (k - x <= always_accepted_ ||
        u >= ZipfIntegral(k + 0.5) - std::pow(k, -options_.zipf_exponent)) {
      return static_cast<std::uint64_t>(k) - 1;
    }
  }
}

}  // namespace proxymux::proxy
