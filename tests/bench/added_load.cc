#include "tests/bench/added_load.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "tests/bench/sample.h"
#include "tests/bench/table_target.h"

namespace proxymux::bench {
namespace {

constexpr double kNoLoss = 0.97;  // a smaller difference is taken for noise
constexpr double kHardlyLess = 0.9;
constexpr double kResidentMib = 64;
constexpr double kFairRatio = 2;
constexpr double kSlowRate = 12;

// Neighbours in time are compared, so that a machine that changes its pace matters less.
double MedianChange(const std::vector<Sample>& before, const std::vector<Sample>& after) {
  std::vector<double> changes;
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const double rate = before[i].lookups_per_second;
    if (rate > 0) changes.push_back(after[i].lookups_per_second / rate);
  }
  return Median(changes);
}

double TimeOf(const Sample& sample) {
  return sample.lookups_per_second > 0 ? 1 / sample.lookups_per_second : 0;
}

// The same, without the time by which the sockets of more clients alone cost more: that of a server
// that only answers. Of each round.
double MedianChangeOfItsOwn(const MainResults::Grown& service, const MainResults::Grown& bare) {
  std::vector<double> changes;
  for (std::size_t i = 0; i < bare.more.size(); ++i) {
    const double sockets = TimeOf(bare.more[i]) - TimeOf(bare.usual[i]);
    const double own = TimeOf(service.more[i]) - std::max(0.0, sockets);
    if (own > 0) changes.push_back(TimeOf(service.usual[i]) / own);
  }
  return Median(changes);
}

void AddBare(const std::string& load, const MainResults& results, std::vector<TableLine>* lines) {
  const MainResults::Grown& bare = results.bare;
  // They are compared round by round: a round that one of them lacks leaves no pairs.
  if (bare.more.empty() || bare.more.size() != results.clients.more.size()) return;
  lines->push_back({load,
                    "lookups/s of a server that only answers (200 clients: " +
                        Number(MedianOf(bare.usual, &Sample::lookups_per_second), 0) + ")",
                    "", Number(MedianOf(bare.more, &Sample::lookups_per_second), 0), "", "", ""});
  lines->push_back({load, "times, without what the sockets cost more", "",
                    Number(MedianChangeOfItsOwn(results.clients, bare), 2), "", "", ""});
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

}  // namespace

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
    const std::string load = Number(kManyClientsBusy, 0) + " clients, all of them busy";
    AddChange(load, "200 clients", clients.usual, clients.more, kHardlyLess, lines);
    AddBare(load, results, lines);
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

}  // namespace proxymux::bench
