#include "proxy/status/metric_family.h"

#include <prometheus/client_metric.h>

#include <cmath>
#include <limits>

#include "proxy/text/utf8.h"

namespace proxymux::proxy {
namespace {

using prometheus::ClientMetric;

// The bounds of the histograms: 64 us, 128 us, ... 67.1 s, beyond the time of any lookup.
constexpr int kFirstBoundBits = 6;
constexpr int kLastBoundBits = 26;

// Label values must be UTF-8; names come from files that need not be.
std::string LabelValue(std::string text) {
  if (IsValidUtf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

ClientMetric WithLabels(MetricLabels labels) {
  ClientMetric metric;
  for (auto& [name, value] : labels) metric.label.push_back({name, LabelValue(std::move(value))});
  return metric;
}

}  // namespace

MetricFamilyBuilder::MetricFamilyBuilder(std::vector<prometheus::MetricFamily>* families,
                                         prometheus::MetricType type, const char* name,
                                         const char* help)
    : families_(families) {
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

MetricFamilyBuilder::~MetricFamilyBuilder() { families_->push_back(std::move(family_)); }

MetricFamilyBuilder& MetricFamilyBuilder::Add(double value, MetricLabels labels) {
  ClientMetric metric = WithLabels(std::move(labels));
  metric.counter.value = value;
  metric.gauge.value = value;
  family_.metric.push_back(std::move(metric));
  return *this;
}

MetricFamilyBuilder& MetricFamilyBuilder::Add(std::chrono::duration<double> seconds,
                                              MetricLabels labels) {
  return Add(seconds.count(), std::move(labels));
}

MetricFamilyBuilder& MetricFamilyBuilder::Add(const pgsql::LatencyHistogram& latency,
                                              MetricLabels labels) {
  ClientMetric metric = WithLabels(std::move(labels));
  metric.histogram.sample_count = latency.count();
  metric.histogram.sample_sum = std::chrono::duration<double>(latency.sum()).count();
  for (int bits = kFirstBoundBits; bits <= kLastBoundBits; ++bits) {
    metric.histogram.bucket.push_back(
        {latency.CountBelowPowerOfTwo(bits), std::ldexp(1.0, bits) / 1e6});
  }
  metric.histogram.bucket.push_back({latency.count(), std::numeric_limits<double>::infinity()});
  family_.metric.push_back(std::move(metric));
  return *this;
}

}  // namespace proxymux::proxy
