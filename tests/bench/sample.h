// What one run of the load generator found, and how several runs become one figure. Pure.
#pragma once

#include <string>
#include <vector>

namespace proxymux::bench {

struct Sample {
  double lookups_per_second = 0;  // answered, found or not found
  double p50_ms = 0, p99_ms = 0;
  double cpu_us = 0;        // processor time per answer, of the service and PostgreSQL
  double service_us = 0;    // of that, of the service's own process; proxymux only
  double retry = 0;         // lookups that got no answer but "try again", or none in form
  double connections = 0;   // to the database, the most at one time
  double processes = 0;     // of stock proxymap, at the end
  double resident_mib = 0;  // of the service's own process; proxymux only
  double connected = 0;     // clients, idle ones included
};

double Median(std::vector<double> values);  // 0 when there are none
double MedianOf(const std::vector<Sample>& samples, double Sample::*member);
// Each figure's own median.
Sample MedianSample(const std::vector<Sample>& samples);

// 1234567.8 as `1,234,568` or, with a digit, `1,234,567.8`.
std::string Number(double value, int digits);

}  // namespace proxymux::bench
