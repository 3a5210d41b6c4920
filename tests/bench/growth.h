// How the figures grow with one thing that is varied, as data for plots and as a table. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/sample.h"

namespace proxymux::bench {

struct GrowthSeries {
  struct Point {
    int x = 0;
    std::optional<Sample> stock, proxymux;  // nothing: could not be measured, or has no meaning
  };

  std::string name;    // of the files: clients
  std::string varied;  // heading of the first column: clients
  std::vector<Point> points;
};

// One line for each point; `-` where there is nothing. The first line names the columns.
std::string GrowthTsv(const GrowthSeries& series);
std::string GrowthMarkdown(const GrowthSeries& series);

}  // namespace proxymux::bench
