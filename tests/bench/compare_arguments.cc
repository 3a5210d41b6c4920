#include "tests/bench/compare_arguments.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tests/bench/comparison.h"

namespace proxymux::bench {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string> Listed(const std::string& text, const Words& known) {
  Words listed;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw std::invalid_argument("there is no " + name);
    }
    listed.push_back(name);
  }
  return listed;
}

int Positive(const std::string& option, const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || value < 1) {
    throw std::invalid_argument(option + " takes a number above 0");
  }
  return value;
}

CompareWorld::Arrival ReadArrival(const std::string& option, std::string text) {
  CompareWorld::Arrival arrival;
  constexpr char kBefore[] = ",before";
  arrival.served_before = text.ends_with(kBefore);
  if (arrival.served_before) text.resize(text.size() - sizeof(kBefore) + 1);
  if (text != "0") arrival.connect_rate = Positive(option, text);
  return arrival;
}

}  // namespace

std::vector<std::string> PartNames() {
  Words names = {"main"};
  for (const std::string& series : Comparison::SeriesNames()) names.push_back(series);
  return names;
}

CompareArguments ReadCompareArguments(const Words& words) {
  CompareArguments arguments;
  // Before the others, so that they can say more.
  if (std::find(words.begin(), words.end(), "--quick") != words.end()) {
    arguments.quick = true;
    arguments.rounds = 1;
    arguments.seconds = 2;
    arguments.series_seconds = 2;
    arguments.keys = 100000;
  }
  arguments.parts = PartNames();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& name = words[i];
    if (name == "--quick") continue;
    if (i + 1 == words.size()) throw std::invalid_argument(name + ": unknown, or takes a value");
    const std::string& value = words[++i];
    if (name == "--parts" || name == "--series") {
      const Words known = PartNames();
      arguments.parts = Listed(value, name == "--parts" ? known : Comparison::SeriesNames());
    } else if (name == "--rows") {
      arguments.rows = Listed(value, RowNames());
      arguments.parts = {"main"};
    } else if (name == "--rounds") {
      arguments.rounds = Positive(name, value);
    } else if (name == "--seconds") {
      arguments.seconds = arguments.series_seconds = Positive(name, value);
    } else if (name == "--keys") {
      arguments.keys = Positive(name, value);
    } else if (name == "--arrival") {
      arguments.arrival = ReadArrival(name, value);
    } else if (name == "--docs") {
      arguments.docs = value;
    } else {
      throw std::invalid_argument("there is no option " + name);
    }
  }
  if (!arguments.rows.empty() && !arguments.docs.empty()) {
    throw std::invalid_argument("--rows goes without --docs: the page's table has all rows");
  }
  return arguments;
}

}  // namespace proxymux::bench
