// One metric name with its help and its values, while it is put together; the result goes to the
// serializer of prometheus-cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pgsql/runtime/latency_histogram.h"

namespace proxymux::proxy {

using MetricLabels = std::vector<std::pair<const char*, std::string>>;

class MetricFamilyBuilder {
 public:
  // Goes to the end of `families` when it is destroyed, also without values: the name and its help
  // are part of the interface.
  MetricFamilyBuilder(std::vector<prometheus::MetricFamily>* families, prometheus::MetricType type,
                      const char* name, const char* help);
  ~MetricFamilyBuilder();
  MetricFamilyBuilder(const MetricFamilyBuilder&) = delete;
  MetricFamilyBuilder& operator=(const MetricFamilyBuilder&) = delete;

  // One value of a gauge or a counter. Labels need not be UTF-8: bytes that are not become `?`.
  MetricFamilyBuilder& Add(double value, MetricLabels labels = {});
  MetricFamilyBuilder& Add(std::chrono::duration<double> seconds, MetricLabels labels = {});
  MetricFamilyBuilder& Add(const pgsql::LatencyHistogram& latency, MetricLabels labels);

 private:
  std::vector<prometheus::MetricFamily>* const families_;
  prometheus::MetricFamily family_;
};

// A metric that is one count of a status.
template <typename Status>
struct Metric {
  const char* name;
  const char* help;
  std::uint64_t Status::*value;
};

// The families of a part of the metrics, in their order. Base of what adds them.
class MetricFamilies {
 public:
  explicit MetricFamilies(std::vector<prometheus::MetricFamily>* families) : families_(families) {}

  MetricFamilyBuilder Gauge(const char* name, const char* help) const {
    return {families_, prometheus::MetricType::Gauge, name, help};
  }
  MetricFamilyBuilder Counter(const char* name, const char* help) const {
    return {families_, prometheus::MetricType::Counter, name, help};
  }
  MetricFamilyBuilder Histogram(const char* name, const char* help) const {
    return {families_, prometheus::MetricType::Histogram, name, help};
  }

 private:
  std::vector<prometheus::MetricFamily>* const families_;
};

}  // namespace proxymux::proxy
