// The rates of the time between two documents.
#include "proxy/status/status_rates.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/status/status_json.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

using Json = nlohmann::json;

TEST(RatesSince, AreThoseOfTheTimeBetween) {
  ServiceStatus status = SampleStatus();
  const std::string earlier = StatusJson(status);
  status.process.uptime += std::chrono::seconds(4);
  status.tables[0].found += 30;
  status.tables[0].not_found += 10;
  status.tables[0].retry += 2;
  status.pools[0].hosts[0].ok += 20;
  status.pools[0].hosts[0].failed += 1;
  const Json since = Json::parse(RatesSince(earlier, StatusJson(status)));
  const Json& table = since["tables"][0]["recent"]["1m"];
  EXPECT_EQ(table["span_ms"], 4000);
  EXPECT_EQ(table["done_per_s"], 10);
  EXPECT_EQ(table["failed_per_s"], 0.5);
  EXPECT_EQ(table["p99_us"], 3000) << "of the last minute";
  const Json& host = since["pools"][0]["hosts"][0]["recent"]["1m"];
  EXPECT_EQ(host["done_per_s"], 5);
  EXPECT_EQ(host["failed_per_s"], 0.25);
  EXPECT_EQ(since["tables"][0]["found"], 732) << "the rest is as it was";
}

TEST(RatesSince, AnotherProcessHasNoneInCommon) {
  ServiceStatus status = SampleStatus();
  const std::string earlier = StatusJson(status);
  status.process.pid = 4712;
  status.process.uptime += std::chrono::seconds(4);
  const std::string later = StatusJson(status);
  EXPECT_EQ(RatesSince(earlier, later), later);
}

TEST(RatesSince, WhatIsNoDocumentIsLeftAsItIs) {
  for (const char* bad : {"", "{", "[]", "null", "7", "{\"tables\": 3}"}) {
    EXPECT_EQ(RatesSince(bad, StatusJson(SampleStatus())), StatusJson(SampleStatus()));
    EXPECT_EQ(RatesSince(StatusJson(SampleStatus()), bad), bad);
  }
}

}  // namespace
}  // namespace proxymux::proxy
