#include "tests/bench/comparison.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <utility>

namespace proxymux::bench {
namespace {

using harness::Service;
using Words = std::vector<std::string>;

const char* NameOf(Service service) { return service == Service::kStock ? "stock" : "proxymux"; }

void Say(const std::string& what, const Sample& sample) {
  std::cerr << "  " << what << ": " << Number(sample.lookups_per_second, 0) << " lookups/s, p50 "
            << Number(sample.p50_ms, 3) << " ms, p99 " << Number(sample.p99_ms, 3) << " ms, "
            << Number(sample.cpu_us, 1) << " us/lookup (service " << Number(sample.service_us, 1)
            << "), " << Number(sample.connections, 0) << " connections, "
            << Number(sample.processes, 0) << " stock processes, " << Number(sample.retry, 0)
            << " RETRY\n";
}

struct SeriesPlan {
  const char* name;
  const char* varied;
  std::vector<int> points, quick_points;
  bool stock;  // has such a thing to vary
};

const std::vector<SeriesPlan>& SeriesPlans() {
  static const std::vector<SeriesPlan> plans = {
      {"clients", "clients", {1, 10, 50, 200, 1000, 5000, 10000}, {1, 10, 200, 1000}, true},
      {"connections", "pool.connections", {1, 2, 4, 8, 16, 32}, {1, 4, 16}, false},
      {"tables", "tables", {1, 5, 10, 50}, {1, 5, 50}, true},
      {"rows", "rows", {1000, 10000, 100000, 1000000}, {1000, 100000}, true},
  };
  return plans;
}

constexpr int kLoadClients = 200;
constexpr CompareWorld::Arrival kOneByOne = {200, false};
constexpr double kAsGood = 0.95;  // two equal runs of stock differ by more
// A service that is over its limit has answers on their way for long.
constexpr char kPatience[] = "60s";

}  // namespace

void Comparison::Try(const std::string& what, bool stock, const std::function<void()>& measure) {
  try {
    measure();
  } catch (const std::exception& error) {
    std::string why = error.what();
    std::cerr << "  " << what << " failed: " << why << "\n";
    // A log may hang behind it.
    why = why.substr(0, why.find('\n'));
    failures_.insert(what + ": " + why.substr(0, 200));
    if (!stock) proxymux_failed_ = true;
  }
}

std::vector<std::string> Comparison::TakeFailures() {
  std::vector<std::string> failures(failures_.begin(), failures_.end());
  failures_.clear();
  return failures;
}

std::vector<Comparison::Way> Comparison::FindArrival(int rounds) {
  std::vector<Way> ways = {
      {"as fast as they can", {0, false}, {}},
      {"as fast as they can, processes there from the same load before", {0, true}, {}},
      {"2,000 a second", {2000, false}, {}},
      {"2,000 a second, processes there from the same load before", {2000, true}, {}},
      {"200 a second", kOneByOne, {}},
  };
  std::cerr << "how stock is served best\n";
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) {
      Try(std::string("stock, clients connect ") + way.title, true, [&] {
        world_->SetArrival(way.arrival);
        way.samples.push_back(world_->Measure({Service::kStock, {"-c", "200"}, 1, 0, ""}));
        Say(way.title, way.samples.back());
      });
    }
  }
  std::stable_sort(ways.begin(), ways.end(), [](const Way& a, const Way& b) {
    return MedianSample(a.samples).lookups_per_second > MedianSample(b.samples).lookups_per_second;
  });
  // Of those that are as good as the best, the one with the best p99.
  const double good = kAsGood * MedianSample(ways.front().samples).lookups_per_second;
  auto best = ways.begin();
  for (auto way = ways.begin(); way != ways.end(); ++way) {
    const Sample sample = MedianSample(way->samples);
    if (way->samples.empty() || sample.lookups_per_second < good) break;
    if (sample.p99_ms < MedianSample(best->samples).p99_ms) best = way;
  }
  std::rotate(ways.begin(), best, best + 1);
  world_->SetArrival(ways.front().arrival);
  return ways;
}

MainResults Comparison::MeasureMain(const std::vector<std::string>& rows, int rounds) {
  MainResults results;
  const auto wanted = [&rows](const std::string& row) {
    return rows.empty() || std::find(rows.begin(), rows.end(), row) != rows.end();
  };
  for (int round = 0; round < rounds; ++round) {
    std::cerr << "round " << round + 1 << " of " << rounds << "\n";
    // Who is first changes, so that neither always has the warmer caches.
    std::vector<Service> services = {Service::kStock, Service::kInPlace};
    if (round % 2 == 1) std::swap(services[0], services[1]);
    for (const Load& load : Loads()) {
      // The ceiling is compared with it.
      if (!wanted(load.name) && !(load.name == "uniform" && wanted(kPgbench))) continue;
      for (const Service service : services) MeasureLoad(load, service, &results);
    }
    if (wanted(kPgbench)) {
      Try("pgbench", true, [&] {
        results.pgbench.push_back(world_->PgbenchQueriesPerSecond());
        std::cerr << "  pgbench: " << Number(results.pgbench.back(), 0) << " queries/s\n";
      });
    }
    if (wanted(kTenThousand)) MeasureTenThousand(&results);
    if (wanted(kBusy)) MeasureBusy(&results);
    if (wanted(kTablesRow)) MeasureManyTables(&results);
    if (wanted(kFairness)) {
      for (const Service service : services) MeasureFairness(service, &results);
    }
  }
  return results;
}

void Comparison::MeasureLoad(const Load& load, Service service, MainResults* results) {
  const bool stock = service == Service::kStock;
  const std::string what = load.title + ", " + NameOf(service);
  Try(what, stock, [&] {
    CompareWorld::Trial trial{service, load.words, load.tables, 0, ""};
    trial.through_pgpool = load.through_pgpool;
    const Sample sample = world_->Measure(trial);
    MainResults::Both& both = results->loads[load.name];
    (stock ? both.stock : both.proxymux).push_back(sample);
    Say(what, sample);
  });
}

void Comparison::MeasureTenThousand(MainResults* results) {
  Try("10,000 clients connected, proxymux", false, [&] {
    const auto samples = world_->MeasureWithIdle(10000 - kLoadClients);
    results->without_idle.push_back(samples[0]);
    results->with_idle.push_back(samples[1]);
    Say("200 connected", samples[0]);
    Say("10,000 connected", samples[1]);
  });
}

void Comparison::MeasureGrown(const Trial& more, const std::string& what,
                              MainResults::Grown* grown) {
  Try(what + ", proxymux", false, [&] {
    const Sample usual = world_->Measure({Service::kInPlace, {"-c", "200"}, 1, 0, ""});
    Say("200 clients", usual);
    const Sample grew = world_->Measure(more);
    Say(what, grew);
    grown->usual.push_back(usual);
    grown->more.push_back(grew);
  });
}

void Comparison::MeasureBusy(MainResults* results) {
  const Words words = {
      "-c",     std::to_string(kManyClientsBusy), "--timeout", kPatience, "--connect-timeout",
      kPatience};
  MeasureGrown({Service::kInPlace, words, 1, 0, ""}, "10,000 busy clients", &results->clients);
  Try("a server that only answers", false, [&] {
    const Sample usual = world_->MeasureBare(kLoadClients);
    Say("a server that only answers, 200 clients", usual);
    const Sample grew = world_->MeasureBare(kManyClientsBusy);
    Say("a server that only answers, 10,000 busy clients", grew);
    results->bare.usual.push_back(usual);
    results->bare.more.push_back(grew);
  });
}

void Comparison::MeasureManyTables(MainResults* results) {
  MeasureGrown({Service::kInPlace, {"-c", "200"}, 1, 0, "", kManyTables},
               "1,000 tables, one of them asked", &results->tables);
  const std::string what = "1,000 tables, all of them asked";
  Try(what + ", proxymux", false, [&] {
    results->all_tables.push_back(
        world_->Measure({Service::kInPlace, {"-c", "200"}, kManyTables, 0, ""}));
    Say(what, results->all_tables.back());
  });
}

void Comparison::MeasureFairness(Service service, MainResults* results) {
  const bool stock = service == Service::kStock;
  const std::string what = std::string("a slow table beside another, ") + NameOf(service);
  Try(what, stock, [&] {
    const FairnessSample sample = world_->MeasureFairness(service);
    (stock ? results->fairness_stock : results->fairness_proxymux).push_back(sample);
    Say(std::string(NameOf(service)) + ", alone", sample.alone);
    Say(std::string(NameOf(service)) + ", beside the slow table", sample.together);
    Say(std::string(NameOf(service)) + ", the slow table", sample.slow);
  });
}

// Few clients that come at once may all be accepted by one idle process, whatever is best for many.
void Comparison::TryOneByOne(const Trial& trial, int clients, const std::string& what,
                             GrowthSeries::Point* point) {
  if (clients < 2 || clients > kLoadClients) return;
  const CompareWorld::Arrival arrival = world_->arrival();
  world_->SetArrival(kOneByOne);
  Try(what, true, [&] {
    const Sample sample = world_->Measure(trial);
    Say(what + ", clients connect one by one", sample);
    if (!point->stock || sample.lookups_per_second > point->stock->lookups_per_second) {
      point->stock = sample;
    }
  });
  world_->SetArrival(arrival);
}

GrowthSeries Comparison::MeasureSeries(const std::string& name, bool quick) {
  const auto& plans = SeriesPlans();
  const auto plan = std::find_if(plans.begin(), plans.end(),
                                 [&](const SeriesPlan& one) { return name == one.name; });
  GrowthSeries series{plan->name, plan->varied, {}};
  std::cerr << "series: " << name << "\n";
  for (const int x : quick ? plan->quick_points : plan->points) {
    Trial trial;
    int clients = kLoadClients;
    if (name == "clients") clients = x;
    if (name == "connections") {
      trial.settings = "pool:\n  connections: " + std::to_string(x) + "\n";
    }
    if (name == "tables") trial.tables = x;
    if (name == "rows") trial.rows = x;
    trial.words = {"-c",      std::to_string(clients), "--timeout",
                   kPatience, "--connect-timeout",     kPatience};
    GrowthSeries::Point point;
    point.x = x;
    for (const Service service : {Service::kStock, Service::kInPlace}) {
      const bool stock = service == Service::kStock;
      if (stock && !plan->stock) continue;
      trial.service = service;
      const std::string what = Number(x, 0) + " " + plan->varied + ", " + NameOf(service);
      Try(what, stock, [&] {
        const Sample sample = world_->Measure(trial);
        (stock ? point.stock : point.proxymux) = sample;
        Say(what, sample);
      });
      if (stock && name == "clients") TryOneByOne(trial, clients, what, &point);
    }
    series.points.push_back(point);
  }
  return series;
}

std::vector<std::string> Comparison::SeriesNames() {
  std::vector<std::string> names;
  for (const SeriesPlan& plan : SeriesPlans()) names.emplace_back(plan.name);
  return names;
}

std::vector<int> Comparison::RowsOfSeries() { return SeriesPlans().back().points; }

}  // namespace proxymux::bench
