#include "tests/bench/bench_json.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace proxymux::bench {
namespace {

std::string Document(const std::string& counts) {
  return R"({"lookups_per_second": 1000, "counts": )" + counts +
         R"(, "latency_ms": {"p50": 1.5, "p99": 9.25},
             "connections": {"connected": 200, "idle_connected": 9800},
             "processes": [{"name": "postgres", "cpu_seconds": 0.5, "resident_kib": 1},
                           {"name": "service", "cpu_seconds": 0.25, "resident_kib": 20480}]})";
}

constexpr char kAllGood[] =
    R"({"lookups": 10000, "ok": 9000, "nokey": 1000, "retry": 0, "config": 0, "bad": 0, "deny": 0})";
constexpr char kHalfRefused[] =
    R"({"lookups": 10000, "ok": 5000, "nokey": 0, "retry": 5000, "config": 0, "bad": 0, "deny": 0})";

TEST(BenchJson, BecomesASample) {
  const Sample sample = SampleOf(Document(kAllGood));
  EXPECT_EQ(sample.lookups_per_second, 1000);
  EXPECT_EQ(sample.p50_ms, 1.5);
  EXPECT_EQ(sample.p99_ms, 9.25);
  EXPECT_DOUBLE_EQ(sample.cpu_us, 75);
  EXPECT_DOUBLE_EQ(sample.service_us, 25);
  EXPECT_EQ(sample.retry, 0);
  EXPECT_EQ(sample.resident_mib, 20);
  EXPECT_EQ(sample.connected, 10000);
}

TEST(BenchJson, RefusalsAreNoAnswers) {
  const Sample sample = SampleOf(Document(kHalfRefused));
  EXPECT_EQ(sample.lookups_per_second, 500);
  EXPECT_EQ(sample.retry, 5000);
  EXPECT_DOUBLE_EQ(sample.cpu_us, 150);
}

TEST(BenchJson, AnotherTextIsAnError) {
  EXPECT_THROW(SampleOf("proxymux bench: no"), std::runtime_error);
  EXPECT_THROW(SampleOf("{}"), std::runtime_error);
}

}  // namespace
}  // namespace proxymux::bench
