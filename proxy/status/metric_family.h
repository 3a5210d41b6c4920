// One metric name with its help and its values, while it is put together; the result goes to the
// serializer of prometheus-cpp.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
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

}  // namespace proxymux::proxy
