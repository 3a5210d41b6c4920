#include <gtest/gtest.h>

#include <algorithm>

#include "tests/bench/growth.h"
#include "tests/bench/main_table.h"
#include "tests/bench/sample.h"

namespace proxymux::bench {
namespace {

Sample Made(double rate, double p99) {
  Sample sample;
  sample.lookups_per_second = rate;
  sample.p50_ms = p99 / 2;
  sample.p99_ms = p99;
  sample.cpu_us = 1e6 / rate;
  sample.connections = 4;
  return sample;
}

TableLine Line(const std::vector<TableLine>& lines, const std::string& load,
               const std::string& figure) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const TableLine& line) {
    return line.load.find(load) != std::string::npos && line.figure == figure;
  });
  EXPECT_NE(found, lines.end()) << load << ", " << figure;
  return found == lines.end() ? TableLine() : *found;
}

TEST(Sample, MediansOfNoneOddAndEven) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
}

TEST(Sample, NumbersAreGrouped) {
  EXPECT_EQ(Number(0, 0), "0");
  EXPECT_EQ(Number(999, 0), "999");
  EXPECT_EQ(Number(1000, 0), "1,000");
  EXPECT_EQ(Number(1234567.84, 1), "1,234,567.8");
  EXPECT_EQ(Number(-123, 0), "-123");
  EXPECT_EQ(Number(-1234.5, 1), "-1,234.5");
}

TEST(MainTable, TakesMediansAndHoldsThemAgainstTargets) {
  MainResults results;
  results.loads["uniform"].stock = {Made(20000, 40), Made(10, 4000), Made(21000, 30)};
  results.loads["uniform"].proxymux = {Made(100000, 4), Made(90000, 8), Made(95000, 5)};
  const auto lines = MainTable(results);
  const TableLine& rate = Line(lines, "200 clients, uniform keys", "lookups/s");
  EXPECT_EQ(rate.stock, "20,000");
  EXPECT_EQ(rate.proxymux, "95,000");
  EXPECT_EQ(rate.ratio, "4.75");
  EXPECT_EQ(rate.target, ">= 4.5 times");
  EXPECT_EQ(rate.met, "yes");
  const TableLine& p99 = Line(lines, "200 clients, uniform keys", "p99 ms");
  EXPECT_EQ(p99.ratio, "0.12");
  EXPECT_EQ(p99.target, "<= 0.15 times");
  EXPECT_EQ(p99.met, "yes");
  EXPECT_EQ(Line(lines, "200 clients, uniform keys", "p50 ms").target, "");
  const TableLine& connections = Line(lines, "200 clients, uniform keys", "database connections");
  EXPECT_EQ(connections.target, "<= 4");
  EXPECT_EQ(connections.met, "yes");
}

TEST(MainTable, ATargetThatIsMissedIsToldSo) {
  MainResults results;
  results.loads["five-tables"].stock = {Made(10000, 40)};
  results.loads["five-tables"].proxymux = {Made(59999, 5)};
  results.loads["five-tables"].proxymux[0].retry = 1;
  const auto lines = MainTable(results);
  EXPECT_EQ(Line(lines, "five tables", "lookups/s").met, "no");
  EXPECT_EQ(Line(lines, "five tables", "lookups answered RETRY").target, "<= 0");
  EXPECT_EQ(Line(lines, "five tables", "lookups answered RETRY").met, "no");
}

TEST(MainTable, WhatWasNotMeasuredIsNeitherMetNorMissed) {
  MainResults results;
  results.loads["hot"].proxymux = {Made(250000, 2)};
  results.pgbench = {150000};
  const auto lines = MainTable(results);
  const TableLine& rate = Line(lines, "one hot key", "lookups/s");
  EXPECT_EQ(rate.stock, "");
  EXPECT_EQ(rate.proxymux, "250,000");
  EXPECT_EQ(rate.ratio, "");
  EXPECT_EQ(rate.met, "");
  for (const TableLine& line : lines) EXPECT_EQ(line.load, "200 clients, one hot key");
}

TEST(MainTable, ShareOfPgbench) {
  MainResults results;
  results.loads["uniform"].stock = {Made(20000, 40)};
  results.loads["uniform"].proxymux = {Made(105000, 5)};
  results.pgbench = {100000, 150000, 160000};
  const auto lines = MainTable(results);
  const TableLine& line =
      Line(lines, "150,000 queries/s", "share reached with 200 clients, uniform keys");
  EXPECT_EQ(line.stock, "0.13");
  EXPECT_EQ(line.proxymux, "0.70");
  EXPECT_EQ(line.met, "yes");
}

TEST(MainTable, TenThousandIsComparedRoundByRound) {
  MainResults results;
  // The machine has slowed down between the rounds.
  results.without_idle = {Made(100000, 4), Made(50000, 8)};
  results.with_idle = {Made(98000, 4), Made(49000, 8)};
  for (Sample& sample : results.with_idle) {
    sample.resident_mib = 65;
    sample.connected = 10000;
  }
  const auto lines = MainTable(results);
  const TableLine& change = Line(lines, "10,000 clients", "times the lookups/s of 200 connected");
  EXPECT_EQ(change.proxymux, "0.98");
  EXPECT_EQ(change.met, "yes");
  EXPECT_EQ(Line(lines, "10,000 clients", "resident MiB (200 connected: 0.0)").met, "no");
}

TEST(MainTable, WhatGrowsIsComparedRoundByRound) {
  MainResults results;
  results.clients.usual = {Made(100000, 4), Made(50000, 8)};
  results.clients.more = {Made(90000, 40), Made(45000, 80)};
  results.tables.usual = {Made(100000, 4)};
  results.tables.more = {Made(89000, 4)};
  results.all_tables = {Made(50000, 4)};
  const auto lines = MainTable(results);
  const TableLine& clients =
      Line(lines, "10,000 clients, all of them busy", "times the lookups/s of 200 clients");
  EXPECT_EQ(clients.proxymux, "0.90");
  EXPECT_EQ(clients.target, ">= 0.9");
  EXPECT_EQ(clients.met, "yes");
  EXPECT_EQ(Line(lines, "10,000 clients, all", "lookups/s (200 clients: 75,000)").proxymux,
            "67,500");
  const TableLine& tables = Line(lines, "1,000 tables, one", "times the lookups/s of one table");
  EXPECT_EQ(tables.proxymux, "0.89");
  EXPECT_EQ(tables.met, "no");
  const TableLine& all = Line(lines, "1,000 tables, all", "lookups/s");
  EXPECT_EQ(all.proxymux, "50,000");
  EXPECT_EQ(all.target, "");
}

TEST(MainTable, WhatSocketsCostMoreIsTakenOff) {
  MainResults results;
  // 20 us become 30, of which 6 us are those of the sockets.
  results.clients.usual = {Made(50000, 4), Made(50000, 4)};
  results.clients.more = {Made(1e6 / 30, 40), Made(1e6 / 30, 40)};
  results.bare.usual = {Made(250000, 1), Made(250000, 1)};
  results.bare.more = {Made(100000, 5), Made(100000, 5)};
  const auto lines = MainTable(results);
  const std::string load = "10,000 clients, all of them busy";
  EXPECT_EQ(Line(lines, load, "times the lookups/s of 200 clients").met, "no");
  EXPECT_EQ(
      Line(lines, load, "lookups/s of a server that only answers (200 clients: 250,000)").proxymux,
      "100,000");
  EXPECT_EQ(Line(lines, load, "times, without what the sockets cost more").proxymux, "0.83");
}

TEST(MainTable, WithoutARoundOfTheBareServerNothingIsTakenOff) {
  MainResults results;
  results.clients.usual = {Made(50000, 4), Made(50000, 4)};
  results.clients.more = {Made(45000, 40), Made(45000, 40)};
  results.bare.usual = {Made(100000, 1)};
  results.bare.more = {Made(50000, 5)};
  for (const TableLine& line : MainTable(results)) {
    EXPECT_EQ(line.figure.find("sockets"), std::string::npos) << line.figure;
  }
}

TEST(MainTable, SocketsThatCostLessAreNotPaidBack) {
  MainResults results;
  results.clients.usual = {Made(50000, 4)};
  results.clients.more = {Made(45000, 40)};
  results.bare.usual = {Made(100000, 1)};
  results.bare.more = {Made(110000, 5)};
  EXPECT_EQ(Line(MainTable(results), "10,000 clients, all of them busy",
                 "times, without what the sockets cost more")
                .proxymux,
            "0.90");
}

TEST(MainTable, FairnessNeedsBothFigures) {
  MainResults results;
  FairnessSample sample{Made(60000, 3), Made(50000, 5), Made(13, 4000)};
  results.fairness_proxymux = {sample};
  sample.together.p99_ms = 300;
  sample.slow.lookups_per_second = 5;
  results.fairness_stock = {sample};
  const auto lines = MainTable(results);
  const TableLine& times = Line(lines, "takes 200 ms", "times their p99 alone");
  EXPECT_EQ(times.stock, "100.00");
  EXPECT_EQ(times.proxymux, "1.67");
  EXPECT_EQ(times.met, "yes");
  EXPECT_EQ(Line(lines, "takes 200 ms", "lookups/s of the 50").met, "yes");
}

TEST(MainTable, MarkdownNamesALoadOnce) {
  const std::vector<TableLine> lines = {{"one", "a", "1", "2", "2.00", ">= 1 times", "yes"},
                                        {"one", "b", "1,000", "2", "", "", ""}};
  EXPECT_EQ(TableMarkdown(lines),
            "| load | figure | stock | proxymux | proxymux / stock | target | met |\n"
            "|---|---|--:|--:|--:|--:|---|\n"
            "| one | a | 1 | 2 | 2.00 | >= 1 times | yes |\n"
            "|  | b | 1,000 | 2 |  |  |  |\n");
  EXPECT_EQ(TableTsv(lines),
            "load\tfigure\tstock\tproxymux\tratio\ttarget\tmet\n"
            "one\ta\t1\t2\t2.00\t>= 1 times\tyes\n"
            "one\tb\t1000\t2\t\t\t\n");
}

TEST(MainTable, EveryTargetNamesALineOfTheTable) {
  MainResults results;
  for (const Load& load : Loads()) {
    results.loads[load.name].stock = {Made(10, 10)};
    results.loads[load.name].proxymux = {Made(1000, 1)};
  }
  const auto lines = MainTable(results);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const TableLine& line) { return !line.target.empty(); }),
            12);
}

TEST(Growth, DataHasADashWhereNothingWasMeasured) {
  GrowthSeries series{"clients", "clients", {{1, Made(1000, 2), Made(2000, 1)}, {5000, {}, {}}}};
  series.points[1].proxymux = Made(100000, 60);
  const std::string tsv = GrowthTsv(series);
  EXPECT_TRUE(tsv.starts_with("clients\tstock_lookups_per_second\tproxymux_lookups_per_second\t"));
  EXPECT_NE(tsv.find("\n1\t1000\t2000\t2.000\t1.000\t1000.0\t500.0\t4\t4\t0\t0\n"),
            std::string::npos)
      << tsv;
  EXPECT_NE(tsv.find("\n5000\t-\t100000\t-\t60.000\t-\t10.0\t-\t4\t-\t0\n"), std::string::npos)
      << tsv;
}

TEST(Growth, TheTableLeavesOutColumnsOfWhichNothingIsKnown) {
  const GrowthSeries series{"connections", "pool.connections", {{4, {}, Made(2000, 1)}}};
  const std::string text = GrowthMarkdown(series);
  EXPECT_EQ(text.find("stock"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("| 4 | 2,000 | 1.000 | 500.0 | 4 | 0 |\n")) << text;
}

}  // namespace
}  // namespace proxymux::bench
