#include "tests/bench/main_table.h"

#include <algorithm>
#include <cstring>

namespace proxymux::bench {
namespace {

enum class Want { kAtLeast, kAtMost };
enum class Of { kRatio, kProxymux };

struct Target {
  const char* load;
  const char* figure;
  Of of;
  Want want;
  double value;
};

constexpr char kRate[] = "lookups/s";
constexpr char kP50[] = "p50 ms";
constexpr char kP99[] = "p99 ms";
constexpr char kCpu[] = "processor time per lookup, us";
constexpr char kConnections[] = "database connections";
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
};

constexpr double kPgbenchShare = 0.7;
constexpr double kNoLoss = 0.97;  // a smaller difference is taken for noise
constexpr double kHardlyLess = 0.9;
constexpr double kResidentMib = 64;
constexpr double kFairRatio = 2;
constexpr double kSlowRate = 12;

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

void Judge(TableLine* line, Want want, double value, double measured, int digits) {
  line->target = (want == Want::kAtLeast ? ">= " : "<= ") + Number(value, digits);
  line->met = (want == Want::kAtLeast ? measured >= value : measured <= value) ? "yes" : "no";
}

int DigitsOf(double value) {
  for (int digits = 0; digits < 2; ++digits) {
    const double scaled = value * (digits == 0 ? 1 : 10);
    if (scaled == static_cast<double>(static_cast<long>(scaled))) return digits;
  }
  return 2;
}

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

// Neighbours in time are compared, so that a machine that changes its pace matters less.
double MedianChange(const std::vector<Sample>& before, const std::vector<Sample>& after) {
  std::vector<double> changes;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const double rate = before[i].lookups_per_second;
    if (rate > 0) changes.push_back(after[i].lookups_per_second / rate);
  }
  return Median(changes);
}

void AddChange(const std::string& load, const std::string& usual, const std::vector<Sample>& before,
               const std::vector<Sample>& after, double at_least, std::vector<TableLine>* lines) {
  const double was = MedianOf(before, &Sample::lookups_per_second);
  const double is = MedianOf(after, &Sample::lookups_per_second);
  lines->push_back(
      {load, "lookups/s (" + usual + ": " + Number(was, 0) + ")", "", Number(is, 0), "", "", ""});
  const double change = MedianChange(before, after);
  TableLine line{load, "times the lookups/s of " + usual, "", Number(change, 2), "", "", ""};
  Judge(&line, Want::kAtLeast, at_least, change, DigitsOf(at_least));
  lines->push_back(line);
}

void AddTenThousand(const MainResults& results, std::vector<TableLine>* lines) {
  if (results.with_idle.empty()) return;
  const Sample before = MedianSample(results.without_idle);
  const Sample after = MedianSample(results.with_idle);
  const std::string load = Number(after.connected, 0) + " clients connected, 200 of them busy";
  AddChange(load, "200 connected", results.without_idle, results.with_idle, kNoLoss, lines);
  lines->back().target += " (no loss)";
  TableLine resident{load, "resident MiB (200 connected: " + Number(before.resident_mib, 1) + ")",
                     "",   Number(after.resident_mib, 1),
                     "",   "",
                     ""};
  Judge(&resident, Want::kAtMost, kResidentMib, after.resident_mib, 0);
  lines->push_back(resident);
}

void AddGrown(const MainResults& results, std::vector<TableLine>* lines) {
  const MainResults::Grown& clients = results.clients;
  if (!clients.more.empty()) {
    AddChange(Number(kManyClientsBusy, 0) + " clients, all of them busy", "200 clients",
              clients.usual, clients.more, kHardlyLess, lines);
  }
  const MainResults::Grown& tables = results.tables;
  if (!tables.more.empty()) {
    AddChange("200 clients, " + Number(kManyTables, 0) + " tables, one of them asked", "one table",
              tables.usual, tables.more, kHardlyLess, lines);
  }
  if (!results.all_tables.empty()) {
    const Sample all = MedianSample(results.all_tables);
    const std::string load =
        "200 clients, " + Number(kManyTables, 0) + " tables, all of them asked";
    const auto line = [&](const char* figure, double value, int digits) {
      return TableLine{load, figure, "", Number(value, digits), "", "", ""};
    };
    lines->push_back(line(kRate, all.lookups_per_second, 0));
    lines->push_back(line(kCpu, all.cpu_us, 1));
    lines->push_back(line("of that the service's own", all.service_us, 1));
  }
}

struct Fairness {
  bool measured = false;
  double alone = 0, together = 0, ratio = 0, slow = 0, connections = 0;
};

Fairness FairnessOf(const std::vector<FairnessSample>& samples) {
  std::vector<double> alone, together, ratios, slow, connections;
  for (const FairnessSample& sample : samples) {
    alone.push_back(sample.alone.p99_ms);
    together.push_back(sample.together.p99_ms);
    if (sample.alone.p99_ms > 0) ratios.push_back(sample.together.p99_ms / sample.alone.p99_ms);
    slow.push_back(sample.slow.lookups_per_second);
    connections.push_back(sample.together.connections);
  }
  return {!samples.empty(), Median(alone), Median(together),
          Median(ratios),   Median(slow),  Median(connections)};
}

void AddFairness(const MainResults& results, std::vector<TableLine>* lines) {
  const Fairness stock = FairnessOf(results.fairness_stock);
  const Fairness proxymux = FairnessOf(results.fairness_proxymux);
  if (!stock.measured && !proxymux.measured) return;
  const auto line = [&](const char* figure, double Fairness::*member, int digits) {
    return TableLine{"100 clients, beside 50 clients of another table whose query takes 200 ms",
                     figure,
                     stock.measured ? Number(stock.*member, digits) : "",
                     proxymux.measured ? Number(proxymux.*member, digits) : "",
                     "",
                     "",
                     ""};
  };
  lines->push_back(line("p99 ms of the 100, alone", &Fairness::alone, 3));
  lines->push_back(line("p99 ms of the 100, beside the 50", &Fairness::together, 3));
  TableLine times = line("times their p99 alone", &Fairness::ratio, 2);
  TableLine slow = line("lookups/s of the 50", &Fairness::slow, 1);
  if (proxymux.measured) {
    Judge(&times, Want::kAtMost, kFairRatio, proxymux.ratio, 0);
    Judge(&slow, Want::kAtLeast, kSlowRate, proxymux.slow, 0);
  }
  TableLine connections = line(kConnections, &Fairness::connections, 0);
  if (proxymux.measured) Judge(&connections, Want::kAtMost, 4, proxymux.connections, 0);
  lines->insert(lines->end(), {times, slow, connections});
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
