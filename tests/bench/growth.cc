#include "tests/bench/growth.h"

#include <algorithm>

namespace proxymux::bench {
namespace {

struct Column {
  const char* name;   // in the data
  const char* title;  // in the document
  double Sample::*member;
  int digits;
  std::optional<Sample> GrowthSeries::Point::*of;
};

using Point = GrowthSeries::Point;

constexpr Column kColumns[] = {
    {"stock_lookups_per_second", "stock, lookups/s", &Sample::lookups_per_second, 0, &Point::stock},
    {"proxymux_lookups_per_second", "proxymux, lookups/s", &Sample::lookups_per_second, 0,
     &Point::proxymux},
    {"stock_p99_ms", "stock, p99 ms", &Sample::p99_ms, 3, &Point::stock},
    {"proxymux_p99_ms", "proxymux, p99 ms", &Sample::p99_ms, 3, &Point::proxymux},
    {"stock_cpu_us", "stock, us/lookup", &Sample::cpu_us, 1, &Point::stock},
    {"proxymux_cpu_us", "proxymux, us/lookup", &Sample::cpu_us, 1, &Point::proxymux},
    {"stock_connections", "stock, connections", &Sample::connections, 0, &Point::stock},
    {"proxymux_connections", "proxymux, connections", &Sample::connections, 0, &Point::proxymux},
    {"stock_retry", "stock, RETRY", &Sample::retry, 0, &Point::stock},
    {"proxymux_retry", "proxymux, RETRY", &Sample::retry, 0, &Point::proxymux},
};

std::string Cell(const Column& column, const Point& point) {
  const std::optional<Sample>& sample = point.*column.of;
  return sample ? Number((*sample).*column.member, column.digits) : "-";
}

// A column of which nothing is known says nothing in the document.
bool IsEmpty(const Column& column, const GrowthSeries& series) {
  return std::none_of(series.points.begin(), series.points.end(),
                      [&](const Point& point) { return (point.*column.of).has_value(); });
}

}  // namespace

std::string GrowthTsv(const GrowthSeries& series) {
  std::string text = series.name;
  for (const Column& column : kColumns) text += std::string("\t") + column.name;
  text += "\n";
  for (const Point& point : series.points) {
    text += std::to_string(point.x);
    for (const Column& column : kColumns) {
      std::string cell = Cell(column, point);
      std::erase(cell, ',');
      text += "\t" + cell;
    }
    text += "\n";
  }
  return text;
}

std::string GrowthMarkdown(const GrowthSeries& series) {
  std::string head = "| " + series.varied, rule = "|--:", body;
  for (const Column& column : kColumns) {
    if (IsEmpty(column, series)) continue;
    head += std::string(" | ") + column.title;
    rule += "|--:";
  }
  for (const Point& point : series.points) {
    body += "| " + Number(point.x, 0);
    for (const Column& column : kColumns) {
      if (!IsEmpty(column, series)) body += " | " + Cell(column, point);
    }
    body += " |\n";
  }
  return head + " |\n" + rule + "|\n" + body;
}

}  // namespace proxymux::bench
