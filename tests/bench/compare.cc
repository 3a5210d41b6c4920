// Stock proxymap and proxymux under the same loads, in turn, on one database: the main table and
// the series of docs/performance.md. The figures are those of the machine: run it with nothing else
// going on. scripts/measure builds it, runs it and draws the plots.
//
//   compare [--docs DIRECTORY] [--quick] [--parts PART,...] [--series NAME,...] [--rows ROW,...]
//           [--rounds 3] [--seconds 4] [--keys 1000000] [--arrival RATE[,before]]
//
//   --docs DIRECTORY  write DIRECTORY/performance.md and DIRECTORY/performance/*.tsv; otherwise the
//                     tables go to standard output
//   --quick           one round, short, a smaller table, fewer points
//   --parts PART,...  main, clients, connections, tables, rows; otherwise all
//   --series NAME,... the same without main
//   --rows ROW,...    of the main table only: uniform, five-tables, hot, one-client, thousand,
//                     pgpool, pgbench, ten-thousand, fairness, busy, tables
//   --arrival RATE[,before]  clients connect at that rate (0: as fast as they can), after an
//                     equal load before; otherwise what is best for stock is looked for first
//
// Needs root, as Postfix does. A measurement that fails is told in the tables and the others go on;
// the exit status is then 1, when it was one of proxymux.

#include <ctime>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/compare_arguments.h"
#include "tests/bench/compare_world.h"
#include "tests/bench/comparison.h"
#include "tests/bench/performance_page.h"

namespace proxymux::bench {
namespace {

std::string Today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d", std::gmtime(&now));
  return text;
}

std::string ArrivalText(const CompareWorld::Arrival& arrival) {
  std::string text = arrival.connect_rate > 0
                         ? Number(arrival.connect_rate, 0) + " clients a second connect"
                         : "clients connect as fast as they can";
  if (arrival.served_before) text += ", a second after an equal load has ended";
  return text;
}

std::string ArrivalTable(const std::vector<Comparison::Way>& ways) {
  std::string text =
      "| clients connect | stock, lookups/s | p50 ms | p99 ms | us/lookup | stock processes | "
      "database connections |\n|---|--:|--:|--:|--:|--:|--:|\n";
  for (const Comparison::Way& way : ways) {
    if (way.samples.empty()) continue;
    const Sample sample = MedianSample(way.samples);
    text += std::string("| ") + way.title + " | " + Number(sample.lookups_per_second, 0) + " | " +
            Number(sample.p50_ms, 3) + " | " + Number(sample.p99_ms, 3) + " | " +
            Number(sample.cpu_us, 1) + " | " + Number(sample.processes, 0) + " | " +
            Number(sample.connections, 0) + " |\n";
  }
  return text;
}

int Run(const CompareArguments& arguments) {
  CompareWorld::Options options;
  options.rows = arguments.keys;
  options.seconds = arguments.seconds;
  for (const std::string& part : arguments.parts) {
    if (part == "rows") options.further_rows = Comparison::RowsOfSeries();
  }
  std::cerr << "setting up PostgreSQL and Postfix\n";
  CompareWorld world(options);
  Comparison comparison(&world);
  const PerformancePage page(arguments.docs);
  const auto conditions = [&](int rounds, int seconds, const CompareWorld::Arrival& arrival) {
    return "*" + Today() + "; " + world.Describe() + "; " +
           (rounds > 1 ? "medians of " + std::to_string(rounds) + " runs of "
                       : std::string("one run of ")) +
           std::to_string(seconds) + " s each; table of " + Number(arguments.keys, 0) + " rows; " +
           ArrivalText(arrival) + ".*\n\n";
  };

  CompareWorld::Arrival arrival;
  if (arguments.arrival) {
    arrival = *arguments.arrival;
    world.SetArrival(arrival);
  } else {
    world.SetSeconds(arguments.quick ? 1 : 2);
    const auto ways = comparison.FindArrival(arguments.rounds);
    world.SetSeconds(arguments.seconds);
    arrival = ways.front().arrival;
    page.Write("connecting",
               ArrivalTable(ways) + PerformancePage::FailureList(comparison.TakeFailures()));
  }
  for (const std::string& part : arguments.parts) {
    if (part == "main") {
      const MainResults results = comparison.MeasureMain(arguments.rows, arguments.rounds);
      const auto table = MainTable(results);
      page.WriteData("main", TableTsv(table));
      page.WriteData("loads", LoadsTsv(results));
      page.Write("main", conditions(arguments.rounds, arguments.seconds, arrival) +
                             TableMarkdown(table) +
                             PerformancePage::FailureList(comparison.TakeFailures()));
      continue;
    }
    world.SetSeconds(arguments.series_seconds);
    const GrowthSeries series = comparison.MeasureSeries(part, arguments.quick);
    page.WriteData(part, GrowthTsv(series));
    page.Write(part, conditions(1, arguments.series_seconds, arrival) + GrowthMarkdown(series) +
                         PerformancePage::FailureList(comparison.TakeFailures()));
  }
  return comparison.proxymux_failed() ? 1 : 0;
}

}  // namespace
}  // namespace proxymux::bench

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return proxymux::bench::Run(proxymux::bench::ReadCompareArguments(words));
  } catch (const std::invalid_argument& error) {
    std::cerr << "compare: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "compare: " << error.what() << "\n";
    return 1;
  }
}
