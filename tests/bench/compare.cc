// Stock proxymap and proxymux under the same loads, in turn, on one database; medians as a
// Markdown table. The figures are those of the machine: run it with nothing else going on.
//
//   bazel run -c opt //tests/bench:compare -- [--rows NAME,NAME...] [--rounds 3] [--seconds 10]
//       [--keys 1000000] [--output FILE]
//
// Rows: uniform, five-tables, hot, one-client, thousand, pgbench, ten-thousand. Needs root, as the
// tests with Postfix do. The exit status is 1 when a service gave a wrong answer or lost one.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/compare_world.h"

namespace proxymux::bench {
namespace {

using harness::Service;
using Words = std::vector<std::string>;

struct Arguments {
  Words rows;  // empty: all
  int rounds = 3;
  int seconds = 10;
  int keys = 1000000;
  std::string output;
};

struct Load {
  std::string name, title;
  Words words;
  int tables = 1;
};

const std::vector<Load>& Loads() {
  static const std::vector<Load> loads = {
      {"uniform", "200 clients, uniform keys, one table", {"-c", "200"}},
      {"five-tables", "200 clients, uniform keys, five tables", {"-c", "200"}, kTables},
      {"hot",
       "200 clients, one hot key",
       {"-c", "200", "--distribution", "hot", "--hot-share", "100%"}},
      {"one-client", "1 client", {"-c", "1"}},
      {"thousand", "1,000 clients, uniform keys", {"-c", "1000"}},
  };
  return loads;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double MedianOf(const std::vector<Sample>& samples, double Sample::*member) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*member);
  return Median(values);
}

std::string Number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

class Comparison {
 public:
  explicit Comparison(Arguments arguments)
      : arguments_(std::move(arguments)), world_(arguments_.keys) {}

  std::string Run() {
    for (int round = 0; round < arguments_.rounds; ++round) {
      std::cerr << "round " << round + 1 << " of " << arguments_.rounds << "\n";
      for (const Load& load : Loads()) {
        if (!Wanted(load.name) && !(load.name == "uniform" && Wanted("pgbench"))) continue;
        // Who is first changes, so that neither always has the warmer caches.
        for (int turn = 0; turn < 2; ++turn) {
          const bool stock = (turn + round) % 2 == 0;
          Measure(load, stock ? Service::kStock : Service::kInPlace);
        }
      }
      if (Wanted("pgbench")) {
        pgbench_.push_back(world_.PgbenchQueriesPerSecond(arguments_.seconds));
        std::cerr << "  pgbench: " << Number(pgbench_.back(), 0) << " queries/s\n";
      }
      if (Wanted("ten-thousand")) MeasureTenThousand();
    }
    return Report();
  }

 private:
  struct Both {
    std::vector<Sample> stock, proxymux;
  };

  bool Wanted(const std::string& row) const {
    return arguments_.rows.empty() ||
           std::find(arguments_.rows.begin(), arguments_.rows.end(), row) != arguments_.rows.end();
  }
  Words ForSomeTime(Words words) const {
    words.insert(words.end(), {"-T", std::to_string(arguments_.seconds) + "s"});
    return words;
  }

  void Measure(const Load& load, Service service) {
    const Sample sample = world_.Measure(service, {ForSomeTime(load.words)}, load.tables)[0];
    Both& both = samples_[load.name];
    (service == Service::kStock ? both.stock : both.proxymux).push_back(sample);
    Say(load.name + (service == Service::kStock ? ", stock" : ", proxymux"), sample);
  }

  void MeasureTenThousand() {
    const auto samples = world_.Measure(
        Service::kInPlace,
        {ForSomeTime({"-c", "200"}), ForSomeTime({"-c", "200", "--idle-clients", "9800"})}, 1);
    without_idle_.push_back(samples[0]);
    with_idle_.push_back(samples[1]);
    Say("200 connected", samples[0]);
    Say("10,000 connected", samples[1]);
  }

  static void Say(const std::string& what, const Sample& sample) {
    std::cerr << "  " << what << ": " << Number(sample.lookups_per_second, 0) << " lookups/s, p50 "
              << Number(sample.p50_ms, 3) << " ms, p99 " << Number(sample.p99_ms, 3) << " ms, "
              << Number(sample.connections, 0) << " connections, " << Number(sample.retry, 0)
              << " RETRY, " << Number(sample.cpu_us, 1) << " us/lookup\n";
  }

  std::string Report() {
    std::ostringstream text;
    text << world_.Describe() << "; " << arguments_.keys << " rows; medians of "
         << arguments_.rounds << " rounds of " << arguments_.seconds << " s\n\n"
         << "| load | figure | stock | proxymux | proxymux / stock |\n|---|---|--:|--:|--:|\n";
    for (const Load& load : Loads()) {
      const auto found = samples_.find(load.name);
      if (found != samples_.end()) ReportLoad(load, found->second, text);
    }
    if (!pgbench_.empty()) {
      const double reached = MedianOf(samples_["uniform"].proxymux, &Sample::lookups_per_second);
      const double stock = MedianOf(samples_["uniform"].stock, &Sample::lookups_per_second);
      const double ceiling = Median(pgbench_);
      text << "| pgbench, prepared, pipelines of 50 on 4 connections: " << Number(ceiling, 0)
           << " queries/s | share reached at 200 clients | " << Number(stock / ceiling * 100, 0)
           << " % | " << Number(reached / ceiling * 100, 0) << " % | |\n";
    }
    if (!with_idle_.empty()) {
      const double before = MedianOf(without_idle_, &Sample::lookups_per_second);
      const double after = MedianOf(with_idle_, &Sample::lookups_per_second);
      text << "| " << Number(MedianOf(with_idle_, &Sample::connected), 0)
           << " clients connected, 200 busy | lookups/s (200 connected: " << Number(before, 0)
           << ") | | " << Number(after, 0) << " | |\n"
           << "| | change against 200 connected | | " << Number((after / before - 1) * 100, 1)
           << " % | |\n"
           << "| | resident MiB (200 connected: "
           << Number(MedianOf(without_idle_, &Sample::resident_mib), 1) << ") | | "
           << Number(MedianOf(with_idle_, &Sample::resident_mib), 1) << " | |\n";
    }
    return text.str();
  }

  static void ReportLoad(const Load& load, const Both& both, std::ostream& text) {
    struct Figure {
      const char* name;
      double Sample::*member;
      int digits;
      bool ratio;
    };
    const Figure figures[] = {
        {"lookups/s", &Sample::lookups_per_second, 0, true},
        {"p50 ms", &Sample::p50_ms, 3, true},
        {"p99 ms", &Sample::p99_ms, 3, true},
        {"processor time per lookup, service and PostgreSQL, us", &Sample::cpu_us, 1, true},
        {"database connections", &Sample::connections, 0, false},
        {"lookups answered RETRY", &Sample::retry, 0, false},
    };
    bool first = true;
    for (const Figure& figure : figures) {
      const double stock = MedianOf(both.stock, figure.member);
      const double proxymux = MedianOf(both.proxymux, figure.member);
      text << "| " << (first ? load.title : "") << " | " << figure.name << " | "
           << Number(stock, figure.digits) << " | " << Number(proxymux, figure.digits) << " | "
           << (figure.ratio && stock > 0 ? Number(proxymux / stock, 2) : "") << " |\n";
      first = false;
    }
  }

  Arguments arguments_;
  CompareWorld world_;
  std::map<std::string, Both> samples_;
  std::vector<double> pgbench_;
  std::vector<Sample> without_idle_, with_idle_;
};

Arguments ReadArguments(int argc, char** argv) {
  Arguments arguments;
  Words known = {"pgbench", "ten-thousand"};
  for (const Load& load : Loads()) known.push_back(load.name);
  if (argc % 2 == 0) throw std::invalid_argument("every option takes a value");
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--rows") {
      std::istringstream names(value);
      for (std::string row; std::getline(names, row, ',');) {
        if (std::find(known.begin(), known.end(), row) == known.end()) {
          throw std::invalid_argument("there is no row " + row);
        }
        arguments.rows.push_back(row);
      }
    } else if (name == "--rounds") {
      arguments.rounds = std::stoi(value);
    } else if (name == "--seconds") {
      arguments.seconds = std::stoi(value);
    } else if (name == "--keys") {
      arguments.keys = std::stoi(value);
    } else if (name == "--output") {
      arguments.output = value;
    } else {
      throw std::invalid_argument("there is no option " + name);
    }
  }
  if (arguments.rounds < 1 || arguments.seconds < 1 || arguments.keys < 1) {
    throw std::invalid_argument("numbers must be above 0");
  }
  return arguments;
}

}  // namespace
}  // namespace proxymux::bench

int main(int argc, char** argv) {
  try {
    const proxymux::bench::Arguments arguments = proxymux::bench::ReadArguments(argc, argv);
    const std::string output = arguments.output;
    const std::string report = proxymux::bench::Comparison(arguments).Run();
    std::cout << report;
    if (!output.empty()) std::ofstream(output) << report;
    return 0;
  } catch (const std::invalid_argument& error) {
    std::cerr << "compare: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "compare: " << error.what() << "\n";
    return 1;
  }
}
