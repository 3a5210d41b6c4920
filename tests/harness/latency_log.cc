#include "tests/harness/latency_log.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace proxymux::harness {
namespace {

double Percentile(std::vector<float>* latencies_us, double part) {
  if (latencies_us->empty()) return 0;
  std::sort(latencies_us->begin(), latencies_us->end());
  const double last = static_cast<double>(latencies_us->size() - 1);
  return (*latencies_us)[static_cast<std::size_t>(part * last)] / 1000.0;
}

}  // namespace

void LatencyLog::Add(std::chrono::steady_clock::duration latency, Time now,
                     std::optional<Time> watched) {
  const auto latency_us = std::chrono::duration<float, std::micro>(latency).count();
  latencies_us_.push_back(latency_us);
  if (!watched.has_value()) return;
  Second& second = Watched(*watched);
  if (now >= second.begin && now < second.begin + std::chrono::seconds(1)) {
    second.latencies_us.push_back(latency_us);
  }
}

LatencyLog::Second& LatencyLog::Watched(Time begin) {
  if (seconds_.empty() || seconds_.back().begin != begin) seconds_.push_back({begin, {}});
  return seconds_.back();
}

LatencyLog::Percentiles LatencyLog::Tell(std::optional<Time> watched) {
  Percentiles told{.p50_ms = Percentile(&latencies_us_, 0.5),
                   .p99_ms = Percentile(&latencies_us_, 0.99),
                   .max_ms = Percentile(&latencies_us_, 1)};
  if (watched.has_value()) Watched(*watched);  // one without an answer as well
  for (Second& second : seconds_) {
    const double p99_ms = second.latencies_us.empty() ? std::numeric_limits<double>::infinity()
                                                      : Percentile(&second.latencies_us, 0.99);
    told.watched_p99_ms = std::max(told.watched_p99_ms, p99_ms);
  }
  return told;
}

}  // namespace proxymux::harness
