// The snapshot as metrics: values under their names, in Prometheus' format, and the manual
// describes each of them.
#include "proxy/status/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/status/status_json.h"
#include "tests/proxy/status/sample_status.h"
#include "tests/proxy/status/text_lines.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsText, ValuesStandUnderTheirNamesAndLabels) {
  const std::string text = MetricsText(SampleStatus());
  for (
      const char* line : {
          "proxymux_info{version=\"0.1.0\",build_id=\"5f3c01aa00112233445566778899aabbccddeeff\","
          "libpq=\"15.13\",libuv=\"1.44.2\","
          "postfix=\"3.7\",service=\"proxymap\",mode=\"master\"} 1\n",
          "proxymux_program_replaced 0\n",
          "proxymux_start_time_seconds 1700000000\n",
          "proxymux_draining 0\n",
          "proxymux_clients 12\n",
          "# TYPE proxymux_clients gauge\n",
          "proxymux_clients_accepted_total 345\n",
          "# TYPE proxymux_clients_accepted_total counter\n",
          "proxymux_requests_total{request=\"lookup\"} 90210\n",
          "proxymux_requests_total{request=\"delete\"} 3\n",
          "proxymux_replies_total{status=\"not_found\"} 10002\n",
          "proxymux_replies_total{status=\"config\"} 36\n",
          "proxymux_relay_requests_total 555\n",
          "proxymux_relay_table_requests_total{table=\"hash:/etc/aliases\"} 554\n",
          "proxymux_relay_table_failures_total{table=\"hash:/etc/aliases\"} 10\n",
          "proxymux_relay_table_latency_seconds_count{table=\"hash:/etc/aliases\"} 1\n",
          "proxymux_pool_state{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "state=\"serving\"} 0\n",
          "proxymux_pool_state{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "state=\"waiting\"} 1\n",
          "proxymux_pool_state{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "state=\"down\"} 0\n",
          "proxymux_pool_outage_seconds{pool=\"mail@db1.example.com,/var/run/postgresql/mail\"} "
          "2.345\n",
          "proxymux_pool_queue_length{pool=\"mail@db1.example.com,/var/run/postgresql/mail\"} 13\n",
          "proxymux_pool_asked_twice_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"stall\"} 608\n",
          "proxymux_pool_asked_twice_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"hedge\"} 609\n",
          "proxymux_host_usable{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"/var/run/postgresql\"} 0\n",
          "proxymux_host_down{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"/var/run/postgresql\",reason=\"unreachable\"} 1\n",
          "proxymux_host_down{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"/var/run/postgresql\",reason=\"role\"} 0\n",
          "proxymux_host_last_failure_age_seconds{pool=\"mail@db1.example.com,/var/run/postgresql/"
          "mail\",host=\"/var/run/postgresql\"} 0.44\n",
          "proxymux_pool_timeouts_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"queue_wait\"} 605\n",
          "proxymux_pool_timeouts_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"lookup_timeout\"} 613\n",
          "proxymux_pool_timeouts_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"query_timeout\"} 614\n",
          "proxymux_pool_busy_seconds_total{pool=\"mail@db1.example.com,/var/run/postgresql/"
          "mail\"} "
          "61.5\n",
          "proxymux_pool_queued_seconds_total{pool=\"mail@db1.example.com,/var/run/postgresql/"
          "mail\"}"
          " 6.16\n",
          "proxymux_pool_connections_busy_max{pool=\"mail@db1.example.com,/var/run/postgresql/"
          "mail\"}"
          " 3\n",
          "proxymux_pool_queue_length_max{pool=\"mail@db1.example.com,/var/run/postgresql/mail\"} "
          "617\n",
          "proxymux_loop_busy_seconds_total 12.5\n",
          "proxymux_cpu_seconds_total{mode=\"user\"} 10.25\n",
          "proxymux_cpu_seconds_total{mode=\"system\"} 2.75\n",
          "proxymux_table_info{table=\"pgsql:/etc/postfix/"
          "virtual_alias.cf\",pool=\"mail@db1.example."
          "com,/var/run/postgresql/mail\",plan=\"prepared\",may_write=\"no\"} 1\n",
          "proxymux_table_last_failure_age_seconds{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} "
          "7.06\n",
          "proxymux_host_lone_simple{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"/var/run/postgresql\"} 1\n",
          "proxymux_host_info{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"db1.example.com:5432\",server_version=\"17.6 (Debian 17.6-0+deb13u1)\"} 1\n",
          "proxymux_table_lookups_total{table=\"pgsql:/etc/postfix/virtual_alias.cf\","
          "status=\"ok\"} 702\n",
          "# TYPE proxymux_table_latency_seconds histogram\n",
          "proxymux_table_cache_hits_total{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 708\n",
          "proxymux_table_cache_misses_total{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 709\n",
          "proxymux_table_cache_entries{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 710\n",
          "proxymux_table_cache_bytes{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 711000\n",
          "proxymux_table_cache_evictions_total{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} "
          "712\n",
          "proxymux_table_stale_answers_total{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 713\n",
          "proxymux_table_latency_seconds_sum{table=\"pgsql:/etc/postfix/virtual_alias.cf\"} 0.003",
          "broken_\\\"one\\\".cf\",state=\"broken\"} 1\n",
      }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsText, ALagOfLongAgoIsNone) {
  ServiceStatus status = SampleStatus();
  const std::string sample = "proxymux_host_replica_lag_seconds{pool=\"" + status.pools[0].name +
                             "\",host=\"/var/run/postgresql\",role=\"standby\"} 12.345\n";
  EXPECT_THAT(MetricsText(status), HasSubstr(sample));
  status.pools[0].hosts[1].lag_age = kLagLasts;
  EXPECT_THAT(MetricsText(status), HasSubstr(sample));
  *status.pools[0].hosts[1].lag_age += std::chrono::milliseconds(1);
  const std::string text = MetricsText(status);
  EXPECT_THAT(text, Not(HasSubstr("role=\"standby\"")));
  EXPECT_THAT(text, HasSubstr("role=\"primary\"} 0\n")) << "it was asked just now";
}

TEST(MetricsText, HistogramBucketsAreCumulativeAndEndAtInfinity) {
  const std::string prefix = "proxymux_host_latency_seconds_bucket{";
  std::vector<long> counts;
  for (const std::string& line : Lines(MetricsText(SampleStatus()))) {
    if (line.rfind(prefix, 0) == 0 && line.find("db1.example.com:5432") != std::string::npos) {
      counts.push_back(std::stol(line.substr(line.rfind(' '))));
      if (counts.size() == 1) {
        EXPECT_THAT(line, HasSubstr("le=\"6.4e-05\""));
      }
    }
  }
  ASSERT_EQ(counts.size(), 22u);
  EXPECT_TRUE(std::is_sorted(counts.begin(), counts.end()));
  EXPECT_EQ(counts[0], 6);    // 10 to 60 us are below 64 us
  EXPECT_EQ(counts[1], 12);   // below 128 us
  EXPECT_EQ(counts[4], 100);  // below 1.024 ms
  EXPECT_EQ(counts.back(), 100);
}

TEST(MetricsText, EveryLineIsOfThePrometheusFormat) {
  const std::regex sample(
      R"re([a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? [-+.0-9einfNa]+)re",
      std::regex::icase);
  const std::regex comment("# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))");
  for (const std::string& line : Lines(MetricsText(SampleStatus()))) {
    EXPECT_TRUE(std::regex_match(line, line[0] == '#' ? comment : sample)) << line;
  }
}

TEST(MetricsText, NamesFollowTheConventions) {
  const std::vector<std::string> names = MetricNames();
  EXPECT_GT(names.size(), 40u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  const std::string text = MetricsText(SampleStatus());
  for (const std::string& name : names) {
    EXPECT_EQ(name.rfind("proxymux_", 0), 0u) << name;
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " "));
    const bool counter = text.find("# TYPE " + name + " counter") != std::string::npos;
    EXPECT_EQ(counter, name.ends_with("_total")) << name;
  }
}

TEST(MetricsText, ANameThatIsNotUtf8DoesNoHarm) {
  ServiceStatus status = SampleStatus();
  status.tables[0].name = "pgsql:/etc/caf\xe9.cf";
  EXPECT_THAT(MetricsText(status), HasSubstr("pgsql:/etc/caf?.cf"));
  EXPECT_THAT(StatusJson(status), HasSubstr("pgsql:/etc/caf\xef\xbf\xbd.cf"));
}

TEST(OperationsManual, DescribesEveryMetricAndNoOther) {
  std::ifstream file("docs/operations.md");
  ASSERT_TRUE(file) << "docs/operations.md";
  std::stringstream content;
  content << file.rdbuf();
  const std::string manual = content.str();
  const std::vector<std::string> names = MetricNames();
  for (const std::string& name : names) {
    EXPECT_THAT(manual, HasSubstr("| `" + name + "` |")) << "not described";
  }
  const std::regex mention("`(proxymux_[a-z_]+)`");
  for (auto match = std::sregex_iterator(manual.begin(), manual.end(), mention);
       match != std::sregex_iterator(); ++match) {
    EXPECT_NE(std::find(names.begin(), names.end(), (*match)[1]), names.end())
        << (*match)[1] << " is not a metric";
  }
}

}  // namespace
}  // namespace proxymux::proxy
