#include "proxy/bench/bench_arrivals.h"

#include <cmath>

namespace proxymux::proxy {

BenchArrivals::BenchArrivals(double rate, Spacing spacing, std::int64_t start, std::uint64_t seed)
    : interval_(1e9 / rate), spacing_(spacing), start_(start), due_(start), random_(seed) {}

void BenchArrivals::Take() {
  ++taken_;
  switch (spacing_) {
    case Spacing::kEven:
      offset_ = static_cast<double>(taken_) * interval_;
      break;
    case Spacing::kPoisson: {
      const double unit = static_cast<double>(random_() >> 11) * 0x1p-53;  // never 1
      offset_ -= std::log1p(-unit) * interval_;
      break;
    }
  }
  due_ = start_ + static_cast<std::int64_t>(offset_);
}

}  // namespace proxymux::proxy
