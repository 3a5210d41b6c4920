// The document as text for a terminal: what fits is shown, what does not goes on in the next line.
#include "proxy/status/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "proxy/status/status_json.h"
#include "proxy/text/text_grid.h"
#include "tests/proxy/status/sample_status.h"
#include "tests/proxy/status/text_lines.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Rendered(const std::string& json, const StatusView& view) {
  const auto result = StatusText(json, view);
  if (const auto* error = std::get_if<StatusTextError>(&result)) return "error: " + error->text;
  return std::get<std::string>(result);
}

std::string Rendered(const std::string& json, std::size_t width = 100) {
  return Rendered(json, StatusView{.width = width});
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

TEST(StatusText, SaysWhatWasDoneInTheLastMinuteAndInTheWideViewMore) {
  const std::string json = StatusJson(SampleStatus());
  const std::string text = Rendered(json, kUnlimitedWidth);
  EXPECT_THAT(text, HasSubstr("  12  2.9ms  3.0ms\n"));
  EXPECT_THAT(text, Not(HasSubstr("15M/S")));
  EXPECT_THAT(text, Not(HasSubstr("ago: ")));
  const std::string wide = Rendered(json, StatusView{.width = kUnlimitedWidth, .wide = true});
  for (const char* head : {"BUSYMAX", "QUEUEMAX", "FAIL/S", "5M/S", "15M/S", "ALL P99"}) {
    EXPECT_THAT(wide, HasSubstr(head));
  }
  EXPECT_THAT(wide, HasSubstr("\n    failed 7s ago: db1.example.com: deadlock detected (SQLSTATE"));
  EXPECT_THAT(wide, HasSubstr("\n    connection refused\n")) << "is said once";
}

TEST(StatusText, TablesAreSortedByWhatTheViewIsFor) {
  ServiceStatus status = SampleStatus();
  status.tables.clear();
  for (const auto& [name, done, failed, p99] :
       {std::tuple("a", 1.0, 2.0, 900), std::tuple("b", 3.0, 0.0, 100),
        std::tuple("c", 2.0, 5.0, 300), std::tuple("d", 2.0, 1.0, 300)}) {
    TableStatus table;
    table.name = std::string("pgsql:/") + name;
    table.recent[0] = {std::chrono::seconds(60), done, failed, std::chrono::microseconds(1),
                       std::chrono::microseconds(p99)};
    status.tables.push_back(table);
  }
  const auto order = [&](TableOrder by) {
    std::string names;
    for (const std::string& line :
         Lines(Rendered(StatusJson(status), StatusView{.width = 100, .order = by}))) {
      if (line.size() > 2 && line[0] == '/' && line[2] == ' ') names += line[1];
    }
    return names;
  };
  EXPECT_EQ(order(TableOrder::kName), "abcd");
  EXPECT_EQ(order(TableOrder::kRate), "bcda");
  EXPECT_EQ(order(TableOrder::kFailures), "cadb");
  EXPECT_EQ(order(TableOrder::kLatency), "acdb");
}

TEST(StatusText, SaysOfAPoolWhetherItWaitsForAHost) {
  const auto shown = [](OutageState state) {
    ServiceStatus status = SampleStatus();
    status.pools[0].outage.state = state;
    const std::vector<std::string> lines = Lines(Rendered(StatusJson(status)));
    const auto head = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.starts_with("#  POOL ");
    });
    if (lines.end() - head < 3) return std::string("no pool");
    const std::string word = (head + 1)->substr(std::min(head->find("STATE "), head->size()));
    return word.substr(0, word.find(' ')) + ":" + *(head + 2);
  };
  EXPECT_EQ(shown(OutageState::kServing), "serving:");
  EXPECT_EQ(shown(OutageState::kWaiting),
            "waiting:    no host for 2s: 13 lookups wait for one (outage_wait)");
  EXPECT_EQ(shown(OutageState::kDown), "down:    no host for 2s: lookups are answered RETRY");
}

TEST(StatusText, ALagOfLongAgoIsShownAsSuch) {
  ServiceStatus status = SampleStatus();
  std::string text = Rendered(StatusJson(status));
  EXPECT_THAT(text, HasSubstr("standby  12s"));
  EXPECT_THAT(text, HasSubstr("primary  0ms"));
  EXPECT_THAT(text, Not(HasSubstr("asked")));
  for (HostStatus& host : status.pools[0].hosts) host.lag_age = std::chrono::seconds(310);
  text = Rendered(StatusJson(status));
  EXPECT_THAT(text, HasSubstr("standby    -"));
  EXPECT_THAT(text, HasSubstr("primary    -"));
  EXPECT_THAT(text, HasSubstr("\n    connection refused; lag 12s, asked 5m10s ago\n"));
  EXPECT_THAT(text, Not(HasSubstr("lag 0ms"))) << "of a primary it says nothing";
  status.pools[0].hosts[1].reason.clear();
  EXPECT_THAT(Rendered(StatusJson(status)), HasSubstr("\n    lag 12s, asked 5m10s ago\n"));
  status.pools[0].hosts[1].lag.reset();
  EXPECT_THAT(Rendered(StatusJson(status)), Not(HasSubstr("asked"))) << "nobody knew it";
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
  EXPECT_THAT(text, HasSubstr("a\\nb"));
}

}  // namespace
}  // namespace proxymux::proxy
