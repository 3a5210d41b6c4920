#include "tests/bench/main_table.h"

#include <cstring>

#include "tests/bench/added_load.h"
#include "tests/bench/table_target.h"

namespace proxymux::bench {
namespace {

enum class Of { kRatio, kProxymux };

struct Target {
  const char* load;
  const char* figure;
  Of of;
  Want want;
  double value;
};

constexpr char kP50[] = "p50 ms";
constexpr char kP99[] = "p99 ms";
constexpr char kRetries[] = "lookups answered RETRY";

constexpr Target kTargets[] = {
    {"uniform", kRate, Of::kRatio, Want::kAtLeast, 4.5},
    {"uniform", kP99, Of::kRatio, Want::kAtMost, 0.15},
    {"uniform", kCpu, Of::kRatio, Want::kAtMost, 0.3},
    {"uniform", kConnections, Of::kProxymux, Want::kAtMost, 4},
    {"five-tables", kRate, Of::kRatio, Want::kAtLeast, 6},
    {"five-tables", kRetries, Of::kProxymux, Want::kAtMost, 0},
    {"five-tables", kConnections, Of::kProxymux, Want::kAtMost, 4},
    {"hot", kRate, Of::kRatio, Want::kAtLeast, 12},
    {"one-client", kP50, Of::kRatio, Want::kAtMost, 0.85},
    {"thousand", kRate, Of::kRatio, Want::kAtLeast, 4},
    {"pgpool", kP50, Of::kRatio, Want::kAtMost, 1},
    {"pgpool", kRetries, Of::kProxymux, Want::kAtMost, 0},
};

constexpr double kPgbenchShare = 0.7;

struct Figure {
  const char* name;
  double Sample::*member;
  int digits;
  bool has_ratio;
};

constexpr Figure kFigures[] = {
    {kRate, &Sample::lookups_per_second, 0, true},
    {kP50, &Sample::p50_ms, 3, true},
    {kP99, &Sample::p99_ms, 3, true},
    {kCpu, &Sample::cpu_us, 1, true},
    {kConnections, &Sample::connections, 0, false},
    {kRetries, &Sample::retry, 0, false},
};

void AddLoad(const Load& load, const MainResults::Both& both, std::vector<TableLine>* lines) {
  const Sample stock = MedianSample(both.stock), proxymux = MedianSample(both.proxymux);
  for (const Figure& figure : kFigures) {
    const double of_stock = stock.*figure.member, of_proxymux = proxymux.*figure.member;
    TableLine line{load.title, figure.name, "", "", "", "", ""};
    if (!both.stock.empty()) line.stock = Number(of_stock, figure.digits);
    if (!both.proxymux.empty()) line.proxymux = Number(of_proxymux, figure.digits);
    const bool both_there = !both.stock.empty() && !both.proxymux.empty() && of_stock > 0;
    const double ratio = both_there ? of_proxymux / of_stock : 0;
    if (figure.has_ratio && both_there) line.ratio = Number(ratio, 2);
    for (const Target& target : kTargets) {
      if (load.name != target.load || std::strcmp(target.figure, figure.name) != 0) continue;
      const bool measured = target.of == Of::kRatio ? both_there : !both.proxymux.empty();
      Judge(&line, target.want, target.value, target.of == Of::kRatio ? ratio : of_proxymux,
            DigitsOf(target.value));
      if (target.of == Of::kRatio) line.target += " times";
      if (!measured) line.met.clear();
    }
    lines->push_back(line);
  }
}

void AddPgbench(const MainResults& results, std::vector<TableLine>* lines) {
  const double ceiling = Median(results.pgbench);
  const auto found = results.loads.find("uniform");
  if (ceiling <= 0 || found == results.loads.end()) return;
  TableLine line{
      "of pgbench: prepared, pipelines of 50, 4 connections, " + Number(ceiling, 0) + " queries/s",
      "share reached with 200 clients, uniform keys",
      "",
      "",
      "",
      "",
      ""};
  const auto share = [&](const std::vector<Sample>& samples) {
    return MedianOf(samples, &Sample::lookups_per_second) / ceiling;
  };
  if (!found->second.stock.empty()) line.stock = Number(share(found->second.stock), 2);
  if (!found->second.proxymux.empty()) {
    line.proxymux = Number(share(found->second.proxymux), 2);
    Judge(&line, Want::kAtLeast, kPgbenchShare, share(found->second.proxymux), 1);
  }
  lines->push_back(line);
}

std::string WithoutCommas(std::string text) {
  std::erase(text, ',');
  return text;
}

}  // namespace

const std::vector<Load>& Loads() {
  static const std::vector<Load> loads = {
      {"uniform", "200 clients, uniform keys", {"-c", "200"}},
      {"five-tables", "200 clients, uniform keys, five tables", {"-c", "200"}, kLoadTables},
      {"hot",
       "200 clients, one hot key",
       {"-c", "200", "--distribution", "hot", "--hot-share", "100%"}},
      {"one-client", "1 client", {"-c", "1"}},
      {"thousand", "1,000 clients, uniform keys", {"-c", "1000"}},
      {"pgpool", "1 client, through Pgpool-II", {"-c", "1"}, 1, /*through_pgpool=*/true},
  };
  return loads;
}

std::vector<std::string> RowNames() {
  std::vector<std::string> names;
  for (const Load& load : Loads()) names.push_back(load.name);
  names.insert(names.end(), {kPgbench, kTenThousand, kFairness, kBusy, kTablesRow});
  return names;
}

std::vector<TableLine> MainTable(const MainResults& results) {
  std::vector<TableLine> lines;
  for (const Load& load : Loads()) {
    const auto found = results.loads.find(load.name);
    if (found != results.loads.end()) AddLoad(load, found->second, &lines);
  }
  AddPgbench(results, &lines);
  AddTenThousand(results, &lines);
  AddGrown(results, &lines);
  AddFairness(results, &lines);
  return lines;
}

std::string TableMarkdown(const std::vector<TableLine>& lines) {
  std::string text =
      "| load | figure | stock | proxymux | proxymux / stock | target | met |\n"
      "|---|---|--:|--:|--:|--:|---|\n";
  std::string before;
  for (const TableLine& line : lines) {
    text += "| " + (line.load == before ? "" : line.load);
    for (const std::string* cell :
         {&line.figure, &line.stock, &line.proxymux, &line.ratio, &line.target, &line.met}) {
      text += " | " + *cell;
    }
    text += " |\n";
    before = line.load;
  }
  return text;
}

std::string TableTsv(const std::vector<TableLine>& lines) {
  std::string text = "load\tfigure\tstock\tproxymux\tratio\ttarget\tmet\n";
  for (const TableLine& line : lines) {
    text += line.load + "\t" + line.figure + "\t" + WithoutCommas(line.stock) + "\t" +
            WithoutCommas(line.proxymux) + "\t" + line.ratio + "\t" + line.target + "\t" +
            line.met + "\n";
  }
  return text;
}

std::string LoadsTsv(const MainResults& results) {
  std::string text = "load\tstock\tproxymux\n";
  for (const Load& load : Loads()) {
    const auto found = results.loads.find(load.name);
    if (found == results.loads.end()) continue;
    const auto cell = [](const std::vector<Sample>& samples) {
      if (samples.empty()) return std::string("-");
      return WithoutCommas(Number(MedianOf(samples, &Sample::lookups_per_second), 0));
    };
    text +=
        load.title + "\t" + cell(found->second.stock) + "\t" + cell(found->second.proxymux) + "\n";
  }
  return text;
}

}  // namespace proxymux::bench
