// What tables and hosts did lately, from samples of what they have done in all.
//
// A sample is taken every ten seconds and kept for a minute, one of each minute for a quarter of an
// hour: what happened in a window is the difference to its oldest sample, so a window of a minute
// may be ten seconds shorter, a longer one a minute. Bounded: samples times tables and hosts, each
// with the buckets of its histogram that are not empty, shared as long as nothing comes to it.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "pgsql/runtime/event_loop.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

class RecentRates {
 public:
  static constexpr std::chrono::seconds kFine{10};
  static constexpr std::chrono::seconds kCoarse{60};

  // Whether it is time for another sample.
  bool Due(pgsql::RealTime now) const;
  void Sample(pgsql::RealTime now, const ServiceStatus& status);
  // The `recent` of every table and host.
  void FillIn(pgsql::RealTime now, ServiceStatus* status) const;

 private:
  // What something has done so far.
  struct Count {
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    LatencyHistogram::Kept latency;
  };
  using Counts = std::map<std::string, std::shared_ptr<const Count>>;
  struct Observed {
    pgsql::RealTime at;
    Counts tables;
    Counts hosts;  // by pool and the host's place in it
  };

  static void Keep(const std::string& name, std::uint64_t done, std::uint64_t failed,
                   const LatencyHistogram& latency, const Counts* before, Counts* counts);
  static RecentRate Rate(std::chrono::milliseconds span, std::uint64_t done, std::uint64_t failed,
                         const LatencyHistogram& latency, const Counts& counts,
                         const std::string& name);
  // The oldest that is not older; null: there is none.
  const Observed* OldestWithin(pgsql::Duration window, pgsql::RealTime now) const;

  std::deque<Observed> samples_;  // the oldest first
};

}  // namespace proxymux::proxy
