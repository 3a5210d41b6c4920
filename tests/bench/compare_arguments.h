// The words of the comparison's command line. Pure.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/compare_world.h"

namespace proxymux::bench {

struct CompareArguments {
  std::vector<std::string> parts;  // of PartNames(), in their order
  std::vector<std::string> rows;   // of the main table; empty: all
  int rounds = 3;                  // of the main table
  int seconds = 4;                 // of each of its measurements
  int series_seconds = 3;          // of each measurement of a series
  int keys = 1000000;              // rows of the large table
  bool quick = false;
  std::optional<CompareWorld::Arrival> arrival;  // nothing: the best for stock is looked for
  std::string docs;                              // empty: to standard output
};

std::vector<std::string> PartNames();  // main, and the series

// Throws std::invalid_argument with what is wrong.
CompareArguments ReadCompareArguments(const std::vector<std::string>& words);

}  // namespace proxymux::bench
