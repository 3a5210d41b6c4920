#include "tests/bench/bench_json.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace proxymux::bench {
namespace {

using nlohmann::json;

Sample Read(const json& document) {
  const json& counts = document.at("counts");
  const double good = counts.at("ok").get<double>() + counts.at("nokey").get<double>();
  const double answered = good + counts.at("retry").get<double>() +
                          counts.at("config").get<double>() + counts.at("bad").get<double>() +
                          counts.at("deny").get<double>();
  Sample sample;
  // A service that refuses quickly is not fast.
  if (answered > 0) {
    sample.lookups_per_second = document.at("lookups_per_second").get<double>() * good / answered;
  }
  sample.retry = counts.at("lookups").get<double>() - good;
  sample.p50_ms = document.at("latency_ms").at("p50");
  sample.p99_ms = document.at("latency_ms").at("p99");
  sample.connected = document.at("connections").at("connected").get<double>() +
                     document.at("connections").at("idle_connected").get<double>();
  for (const json& process : document.at("processes")) {
    // By answers, so that refusals make nothing cheaper either.
    const double cpu_us = good > 0 ? process.at("cpu_seconds").get<double>() * 1e6 / good : 0;
    sample.cpu_us += cpu_us;
    if (process.at("name") == "service") {
      sample.service_us = cpu_us;
      sample.resident_mib = process.at("resident_kib").get<double>() / 1024;
    }
  }
  return sample;
}

}  // namespace

Sample SampleOf(const std::string& text) {
  try {
    return Read(json::parse(text));
  } catch (const json::exception& error) {
    throw std::runtime_error("proxymux bench does not print its JSON: " +
                             std::string(error.what()));
  }
}

}  // namespace proxymux::bench
