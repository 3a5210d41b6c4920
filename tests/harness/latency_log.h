// How long each lookup of a load took, in order; and of some seconds, that are watched, apart.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

namespace proxymux::harness {

class LatencyLog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Percentiles {
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
    // Of the answers of a watched second, the worst of these; infinite when one had no answer.
    double watched_p99_ms = 0;
  };

  // An answer, now. Watched is the second that begins then; none: no other than before.
  void Add(std::chrono::steady_clock::duration latency, Time now, std::optional<Time> watched);
  // Of all, at the end.
  Percentiles Tell(std::optional<Time> watched);

 private:
  struct Second {
    Time begin;
    std::vector<float> latencies_us;
  };

  // The one that begins then, the latest.
  Second& Watched(Time begin);

  std::vector<float> latencies_us_;
  std::vector<Second> seconds_;
};

}  // namespace proxymux::harness
