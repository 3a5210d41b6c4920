// The main table of docs/performance.md: stock and proxymux under the same loads, medians, and
// beside them what is wanted and whether it was reached. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/bench/sample.h"

namespace proxymux::bench {

// One line of the table under its name on the command line.
struct Load {
  std::string name, title;
  std::vector<std::string> words;  // for `proxymux bench`
  int tables = 1;
  bool through_pgpool = false;  // Pgpool-II stands between the service and PostgreSQL
};

inline constexpr int kLoadTables = 5;
inline constexpr int kManyClientsBusy = 10000, kManyTables = 1000;

// Those that stock and proxymux both bear in the same form.
const std::vector<Load>& Loads();
// The others: what the database alone does, many idle clients, a table with a slow query, many busy
// clients, many tables.
inline constexpr char kPgbench[] = "pgbench", kTenThousand[] = "ten-thousand",
                      kFairness[] = "fairness", kBusy[] = "busy", kTablesRow[] = "tables";
std::vector<std::string> RowNames();  // all of them

// One table's clients alone, and beside those of a table whose query is slow.
struct FairnessSample {
  Sample alone, together;
  Sample slow;
};

// One element for each round that could be measured.
struct MainResults {
  struct Both {
    std::vector<Sample> stock, proxymux;
  };
  std::map<std::string, Both> loads;
  std::vector<double> pgbench;  // queries/s
  std::vector<Sample> without_idle, with_idle;
  std::vector<FairnessSample> fairness_stock, fairness_proxymux;
  // proxymux with the usual load, and with more of one thing, one after the other.
  struct Grown {
    std::vector<Sample> usual, more;
  };
  Grown clients, tables;
  Grown bare;  // beside `clients`, round by round: a server that only answers
  std::vector<Sample> all_tables;  // beside `tables`: each of them is asked
};

struct TableLine {
  std::string load, figure;
  std::string stock, proxymux;
  std::string ratio;   // proxymux to stock
  std::string target;  // empty: none
  std::string met;     // yes, no, or empty
};

// What was not measured is not there.
std::vector<TableLine> MainTable(const MainResults& results);
// The first line of a load names it, the next ones do not.
std::string TableMarkdown(const std::vector<TableLine>& lines);
std::string TableTsv(const std::vector<TableLine>& lines);  // without the commas in numbers
// Lookups/s of the loads, for the bars of a plot.
std::string LoadsTsv(const MainResults& results);

}  // namespace proxymux::bench
