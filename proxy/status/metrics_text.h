// The snapshot as metrics in Prometheus' text format. Every name is described in docs/operations.md
// (a test compares them).
//
// Labels: `pool`, `host`, `table`, `status`, `request`, `state`, `reason`, and those of
// proxymux_info. Counters end in _total, durations in _seconds. Histogram bounds are powers of two
// of a microsecond, from 64 us to 16.8 s: there the counts are exact.
#pragma once

#include <string>
#include <vector>

#include "proxy/status/status.h"

namespace proxymux::proxy {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string MetricsText(const ServiceStatus& status);

// Every metric name that MetricsText can write, sorted.
std::vector<std::string> MetricNames();

}  // namespace proxymux::proxy
