#include "tests/bench/sample.h"

#include <algorithm>
#include <cstdio>

namespace proxymux::bench {

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double MedianOf(const std::vector<Sample>& samples, double Sample::*member) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*member);
  return Median(values);
}

Sample MedianSample(const std::vector<Sample>& samples) {
  Sample median;
  for (double Sample::*member :
       {&Sample::lookups_per_second, &Sample::p50_ms, &Sample::p99_ms, &Sample::cpu_us,
        &Sample::service_us, &Sample::retry, &Sample::connections, &Sample::processes,
        &Sample::resident_mib, &Sample::connected}) {
    median.*member = MedianOf(samples, member);
  }
  return median;
}

std::string Number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  std::string number = text;
  const std::size_t begin = number.starts_with('-') ? 1 : 0;
  const std::size_t point = std::min(number.find('.'), number.size());
  for (std::size_t at = point; at > begin + 3; at -= 3) number.insert(at - 3, 1, ',');
  return number;
}

}  // namespace proxymux::bench
