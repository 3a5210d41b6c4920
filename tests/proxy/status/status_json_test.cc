// The snapshot as a document: all of it, each value with its type.
#include "proxy/status/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

TEST(StatusJson, IsCompleteAndTyped) {
  const auto json = nlohmann::json::parse(StatusJson(SampleStatus()));
  EXPECT_EQ(json["program"], "proxymux");
  EXPECT_EQ(json["build_id"], "5f3c01aa00112233445566778899aabbccddeeff");
  EXPECT_EQ(json["libpq"], "15.13");
  EXPECT_EQ(json["libuv"], "1.44.2");
  EXPECT_EQ(json["postfix"], "3.7");
  EXPECT_EQ(json["program_file"], "same");
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["config_directory"], "/etc/postfix-second");
  EXPECT_EQ(json["started"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["uptime_ms"], 3725000);
  EXPECT_EQ(json["away_ms"], 2500);
  EXPECT_EQ(json["state"], "serving");
  EXPECT_EQ(json["health"], "ok");
  EXPECT_TRUE(json["degraded"].is_array());
  EXPECT_EQ(json["requests"]["lookup"], 90210);
  EXPECT_EQ(json["replies"]["retry"], 203);
  EXPECT_EQ(json["relay"]["mode"], "processes");
  EXPECT_EQ(json["relay"]["tables"][0]["name"], "hash:/etc/aliases");
  EXPECT_EQ(json["relay"]["tables"][0]["requests"], 554);
  EXPECT_EQ(json["relay"]["tables"][0]["failures"], 10);
  EXPECT_EQ(json["relay"]["tables"][0]["latency"]["max_us"], 70);
  EXPECT_EQ(json["pools"][0]["hosts"][0]["latency"]["count"], 100);
  EXPECT_EQ(json["pools"][0]["hosts"][1]["reason"], "connection refused");
  EXPECT_EQ(json["pools"][0]["hosts"][0]["server_version"], "17.6 (Debian 17.6-0+deb13u1)");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["server_version"], "");
  EXPECT_EQ(json["pools"][0]["hosts"][0]["lone_protocol"], "extended");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["lone_protocol"], "simple");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["down"], "unreachable");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["last_failure"]["text"], "connection refused");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["last_failure"]["age_ms"], 440);
  EXPECT_TRUE(json["pools"][0]["hosts"][0]["last_failure"].is_null());
  EXPECT_EQ(json["pools"][0]["timeouts"], 605 + 613 + 614);
  EXPECT_EQ(json["pools"][0]["busy_us"], 61'500'000);
  EXPECT_EQ(json["pools"][0]["most_queued"], 617);
  EXPECT_EQ(json["tables"][0]["last_failure"]["age_ms"], 7'060);
  EXPECT_EQ(json["pools"][0]["hosts"][1]["lag_ms"], 12'345);
  EXPECT_EQ(json["pools"][0]["hosts"][1]["lag_age_ms"], 29'000);
  EXPECT_EQ(json["pools"][0]["state"], "waiting");
  EXPECT_EQ(json["pools"][0]["outage_ms"], 2345);
  EXPECT_EQ(json["pools"][0]["queue_length"], 13);
  EXPECT_EQ(json["pools"][0]["asked_twice"]["stall"], 608);
  EXPECT_EQ(json["pools"][0]["asked_twice"]["hedge"], 609);
  EXPECT_EQ(json["tables"][0]["may_write"], false);
  EXPECT_TRUE(json["tables"][1]["may_write"].is_null());
  EXPECT_EQ(json["tables"][0]["cache"]["hits"], 708);
  EXPECT_EQ(json["tables"][0]["cache"]["misses"], 709);
  EXPECT_EQ(json["tables"][0]["cache"]["entries"], 710);
  EXPECT_EQ(json["tables"][0]["cache"]["bytes"], 711'000);
  EXPECT_EQ(json["tables"][0]["cache"]["evictions"], 712);
  EXPECT_EQ(json["tables"][0]["cache"]["stale"], 713);
  EXPECT_TRUE(json["tables"][1]["cache"].is_null()) << "it has none";
  EXPECT_EQ(json["tables"][1]["state"], "broken");

  ServiceStatus status = SampleStatus();
  status.degraded = {"one", "two"};
  status.pools[0].hosts[0].lag_age.reset();
  EXPECT_TRUE(
      nlohmann::json::parse(StatusJson(status))["pools"][0]["hosts"][0]["lag_age_ms"].is_null());
  status.pools.clear();
  const auto degraded = nlohmann::json::parse(StatusJson(status));
  EXPECT_EQ(degraded["health"], "degraded");
  EXPECT_EQ(degraded["degraded"], (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(degraded["pools"].is_array());
}

}  // namespace
}  // namespace proxymux::proxy
