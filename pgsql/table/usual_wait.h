// How long a table's lookups usually take on a server, and how many of them may be asked of a
// second one for taking longer (hedge_percent).
//
// Usual is the 99th percentile of the latest complete window of kWindow lookups; before the first
// window is complete, nothing is unusual. The budget is a token bucket that each lookup fills by
// its percentage, so that a database which became slow as a whole is not asked everything twice.
// Pure.
#pragma once

#include <cstdint>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/runtime/latency_histogram.h"

namespace proxymux::pgsql {

class UsualWait {
 public:
  static constexpr std::uint64_t kWindow = 1000;
  static constexpr double kMostTokens = 10;

  // `percent` of the lookups may be asked twice; 0: none, and nothing is kept.
  explicit UsualWait(std::int64_t percent = 0) : share_(static_cast<double>(percent) / 100) {}

  void Record(Duration taken);
  bool LongerThanUsual(Duration taken) const { return known_ && taken > usual_; }
  bool MaySpend() const { return tokens_ >= 1; }
  void Spend() { tokens_ -= 1; }

  Duration usual() const { return usual_; }

 private:
  double share_;
  double tokens_ = 0;
  bool known_ = false;
  Duration usual_{};
  LatencyHistogram window_;
};

}  // namespace proxymux::pgsql
