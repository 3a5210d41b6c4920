#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "proxy/status/metrics_text.h"
#include "proxy/status/status_json.h"
#include "proxy/status/status_text.h"
#include "proxy/text/terminal_width.h"
#include "proxy/text/text_grid.h"
#include "tests/proxy/status/sample_status.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

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
          "proxymux_pool_queue_length{pool=\"mail@db1.example.com,/var/run/postgresql/mail\"} 13\n",
          "proxymux_pool_asked_twice_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"stall\"} 608\n",
          "proxymux_pool_asked_twice_total{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "reason=\"hedge\"} 609\n",
          "proxymux_host_usable{pool=\"mail@db1.example.com,/var/run/postgresql/mail\","
          "host=\"/var/run/postgresql\"} 0\n",
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
  ASSERT_EQ(counts.size(), 20u);
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
  EXPECT_EQ(json["pools"][0]["hosts"][0]["latency"]["count"], 100);
  EXPECT_EQ(json["pools"][0]["hosts"][1]["reason"], "connection refused");
  EXPECT_EQ(json["pools"][0]["hosts"][0]["server_version"], "17.6 (Debian 17.6-0+deb13u1)");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["server_version"], "");
  EXPECT_EQ(json["pools"][0]["hosts"][0]["lone_protocol"], "extended");
  EXPECT_EQ(json["pools"][0]["hosts"][1]["lone_protocol"], "simple");
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
  status.pools.clear();
  const auto degraded = nlohmann::json::parse(StatusJson(status));
  EXPECT_EQ(degraded["health"], "degraded");
  EXPECT_EQ(degraded["degraded"], (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(degraded["pools"].is_array());
}

std::string Rendered(const std::string& json, std::size_t width = 100) {
  const auto result = StatusText(json, width);
  if (const auto* error = std::get_if<StatusTextError>(&result)) return "error: " + error->text;
  return std::get<std::string>(result);
}

TEST(StatusText, ShowsPoolsHostsAndTablesInAHundredColumns) {
  ServiceStatus status = SampleStatus();
  status.degraded = {"table pgsql:/etc/postfix/broken.cf is broken"};
  status.pools[0].lookups = 18446744073709551615u;
  status.tables[0].lookups = 123456789012;
  const std::string text = Rendered(StatusJson(status));
  for (const std::string& line : Lines(text)) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_THAT(text, HasSubstr("service proxymap, pid 4711, master, serving, up 1h02m"));
  EXPECT_THAT(text, HasSubstr("memory 9.0MiB"));
  EXPECT_THAT(text,
              HasSubstr("\nprogram   build id 5f3c01aa0011, libpq 15.13, libuv 1.44.2, Postfix"
                        " 3.7, PostgreSQL 17.6\nconfig    /etc/postfix-second\n"));
  EXPECT_THAT(text,
              HasSubstr("health    degraded\n          - table pgsql:/etc/postfix/broken.cf"));
  EXPECT_THAT(text, HasSubstr("123.5G"));
  EXPECT_THAT(text, HasSubstr("\n/etc/postfix/virtual_alias.cf  "));
  EXPECT_THAT(text, HasSubstr("POOL "));
  EXPECT_THAT(text, HasSubstr("HOST "));
  EXPECT_THAT(text, HasSubstr("TABLE "));
  EXPECT_THAT(text, HasSubstr("18446744.1T"));
  EXPECT_THAT(text, HasSubstr("\n    connection refused\n"));
  EXPECT_THAT(text, HasSubstr("\n    /etc/postfix/broken.cf:7: no `=' in the line\n"));
  EXPECT_THAT(text, HasSubstr("3.0ms"));
}

TEST(StatusText, ReasonsGoOnInTheNextLineWhole) {
  ServiceStatus status = SampleStatus();
  std::string reason = "first";
  for (int i = 0; i < 40; ++i) reason += " word" + std::to_string(i);
  status.degraded = {reason};
  status.pools[0].hosts[1].reason = reason;
  status.tables[1].reason = reason;
  for (const std::size_t width : {60u, 80u, 200u}) {
    const std::string text = Rendered(StatusJson(status), width);
    std::string words;
    for (const std::string& line : Lines(text)) {
      EXPECT_LE(line.size(), std::max<std::size_t>(width, 88u)) << line;
      words += " " + line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
    std::size_t seen = 0;
    for (std::size_t at = 0; (at = words.find(reason, at)) != std::string::npos; ++at) ++seen;
    EXPECT_EQ(seen, 3u) << text;
  }
  const std::string whole = Rendered(StatusJson(status), kUnlimitedWidth);
  EXPECT_THAT(whole, HasSubstr("\n          - " + reason + "\n"));
  EXPECT_THAT(whole, HasSubstr("\n    " + reason + "\n"));
  EXPECT_THAT(whole, HasSubstr(status.tables[1].name.substr(6) + "  ")) << "nothing is cut";
}

TEST(WrapText, BreaksAtSpacesAndLeavesLongWordsWhole) {
  EXPECT_EQ(WrapText("one two three", 80, 2), "one two three\n");
  EXPECT_EQ(WrapText("one two three", 13, 2), "one two three\n");
  EXPECT_EQ(WrapText("one two three", 12, 2), "one two\n  three\n");
  EXPECT_EQ(WrapText("one two three", 1, 0), "one\ntwo\nthree\n");
  EXPECT_EQ(WrapText("    one two", 8, 4), "    one\n    two\n");
  EXPECT_EQ(WrapText("a much-too-long-word b", 6, 2), "a\n  much-too-long-word\n  b\n");
  EXPECT_EQ(WrapText("\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f", 5, 0),
            "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f\n");
  EXPECT_EQ(WrapText("", 10, 2), "\n");
}

TEST(OutputWidth, ColumnsThenTheTerminalAndNoLimitForAFile) {
  const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(OutputWidth(file, nullptr), kUnlimitedWidth);
  EXPECT_EQ(OutputWidth(file, "132"), 132u);
  EXPECT_EQ(OutputWidth(file, "10"), kLeastWidth);
  for (const char* bad : {"", "0", "wide", "-5", "80x"}) {
    EXPECT_EQ(OutputWidth(file, bad), kUnlimitedWidth) << bad;
  }
  close(file);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const int user = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(user, 0);
  EXPECT_EQ(OutputWidth(user, nullptr), 80u) << "it does not tell";
  winsize size{};
  size.ws_col = 117;
  ASSERT_EQ(ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(OutputWidth(user, nullptr), 117u);
  EXPECT_EQ(OutputWidth(user, "90"), 90u);
  close(user);
  close(terminal);
}

TEST(StatusText, ShowsCachesWhereThereAreAny) {
  ServiceStatus status = SampleStatus();
  const std::vector<std::string> lines = Lines(Rendered(StatusJson(status)));
  ASSERT_GT(lines.size(), 2u);
  EXPECT_EQ(lines[lines.size() - 2],
            "CACHE OF TABLE                 ENTRIES    MEMORY  HITS  MISSES  EVICTED  STALE");
  EXPECT_EQ(lines.back(),
            "/etc/postfix/virtual_alias.cf      710  694.3KiB   708     709      712    713")
      << "and none of the other table";
  status.tables[0].cache.reset();
  EXPECT_THAT(Rendered(StatusJson(status)), Not(HasSubstr("CACHE")));
}

TEST(StatusText, ColumnsAreAligned) {
  const std::vector<std::string> lines = Lines(Rendered(StatusJson(SampleStatus())));
  const auto head = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.rfind("#  HOST", 0) == 0;
  });
  ASSERT_NE(head, lines.end());
  ASSERT_EQ(head->size(), (head + 1)->size());
  EXPECT_TRUE(head->ends_with("P99"));
  EXPECT_TRUE((head + 1)->ends_with(" 1.0ms")) << *(head + 1);
}

TEST(StatusText, AnUpgradeThatIsNotInUseYetIsSaid) {
  const auto shown = [](ServiceMode mode, const char* file) {
    ServiceStatus status = SampleStatus();
    status.process.mode = mode;
    status.process.program_file = file;
    return Rendered(StatusJson(status));
  };
  EXPECT_THAT(shown(ServiceMode::kMaster, "replaced"),
              HasSubstr("the program on disk is another one: postfix reload\n"));
  EXPECT_THAT(shown(ServiceMode::kStandalone, "replaced"),
              HasSubstr("the program on disk is another one: restart it\n"));
  EXPECT_THAT(shown(ServiceMode::kMaster, "gone"), HasSubstr("no longer on disk\n"));
  EXPECT_THAT(shown(ServiceMode::kMaster, "same"), Not(HasSubstr("on disk")));
}

TEST(StatusText, OtherVersionsOfTheDocumentAreShownAsFarAsTheyGo) {
  const std::string text = Rendered(R"({"program": "proxymux", "version": "9", "pools":
      [{"name": "p", "limit": "many", "hosts": 7}, 5], "tables": {}, "more": [1, 2]})");
  EXPECT_THAT(text, HasSubstr("proxymux 9, service -, pid -"));
  EXPECT_THAT(text, HasSubstr("many"));
}

TEST(StatusText, WhatIsNoStatusDocumentIsSaid) {
  for (const char* bad : {"", "{", "[]", "null", "{}", "{\"program\": \"nginx\"}", "\xff\xfe"}) {
    EXPECT_THAT(Rendered(bad), HasSubstr("not a status document")) << bad;
  }
}

TEST(StatusText, ControlCharactersDoNotReachTheTerminal) {
  const std::string text =
      Rendered(R"({"program": "proxymux", "version": "\u001b[2J", "tables": [{"name": "a\nb"}]})");
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("a?b"));
}

TEST(FitColumn, CutsTheMiddleAndCountsCharacters) {
  EXPECT_EQ(FitColumn("short", 10), "short");
  EXPECT_EQ(FitColumn("pgsql:/etc/postfix/virtual.cf", 12), "pgs~rtual.cf");
  EXPECT_EQ(FitColumn("abcdef", 1), "~");
  EXPECT_EQ(FitColumn("abcdef", 0), "");
  EXPECT_EQ(FitColumn("\xc3\xa4\xc3\xb6\xc3\xbc", 3), "\xc3\xa4\xc3\xb6\xc3\xbc");
  EXPECT_EQ(FitColumn("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3), "~\xc3\xbc\xc3\x9f");
}

}  // namespace
}  // namespace proxymux::proxy
