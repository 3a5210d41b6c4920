// The measurements of docs/performance.md, one part after the other: how stock is served best, the
// main table, the series. A measurement that fails is noted and the others go on.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/bench/compare_world.h"
#include "tests/bench/growth.h"
#include "tests/bench/main_table.h"

namespace proxymux::bench {

class Comparison {
 public:
  struct Way {
    const char* title;
    CompareWorld::Arrival arrival;
    std::vector<Sample> samples;  // of stock
  };

  explicit Comparison(CompareWorld* world) : world_(world) {}

  // Finds the way to connect that is best for stock, by lookups/s and then by p99, and uses it from
  // then on, for both. Returns what was tried; the first one is the best.
  std::vector<Way> FindArrival(int rounds);
  MainResults MeasureMain(const std::vector<std::string>& rows, int rounds);
  // One of SeriesNames(); `quick` leaves points out.
  GrowthSeries MeasureSeries(const std::string& name, bool quick);

  static std::vector<std::string> SeriesNames();
  static std::vector<int> RowsOfSeries();  // sizes of the tables that the world needs

  // What could not be measured, and why, since the last time that it was asked.
  std::vector<std::string> TakeFailures();
  // proxymux could not be measured at some time.
  bool proxymux_failed() const { return proxymux_failed_; }

 private:
  using Trial = CompareWorld::Trial;

  void Try(const std::string& what, bool stock, const std::function<void()>& measure);
  void MeasureLoad(const Load& load, harness::Service service, MainResults* results);
  void TryOneByOne(const Trial& trial, int clients, const std::string& what,
                   GrowthSeries::Point* point);
  void MeasureTenThousand(MainResults* results);
  void MeasureBusy(MainResults* results);
  void MeasureManyTables(MainResults* results);
  void MeasureGrown(const Trial& more, const std::string& what, MainResults::Grown* grown);
  void MeasureFairness(harness::Service service, MainResults* results);

  CompareWorld* world_;
  std::set<std::string> failures_;  // each once, however many rounds
  bool proxymux_failed_ = false;
};

}  // namespace proxymux::bench
