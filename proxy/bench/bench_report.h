// What a run of `proxymux bench` found, as text for people and as JSON for programs. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/bench/bench_options.h"
#include "proxy/bench/bench_tally.h"
#include "proxy/bench/process_tree.h"

namespace proxymux::proxy {

struct BenchResult {
  struct Process {
    std::string name;
    pid_t pid = 0;
    double cpu_seconds = 0;  // in the window
    ProcessUse end;          // at its end; 0 processes: gone
  };

  explicit BenchResult(std::size_t tables) : tally(tables) {}

  BenchTally tally;
  double seconds = 0;             // of the window
  double lookups_per_second = 0;  // answers of any status
  bool verified = false;
  std::uint64_t connects = 0;     // first and later ones
  std::uint64_t reconnects = 0;   // of connections that ended during the run
  std::uint64_t idle_ends = 0;    // of these: of idle clients
  std::uint64_t asked_again = 0;  // the service closed without reading: no loss
  int connected = 0;              // clients that had a connection when the window ended
  int idle_connected = 0;
  std::string gone;  // why none could connect any more by then; empty: the service was there
  double own_cpu_seconds = 0;
  std::vector<Process> processes;
  std::vector<std::string> wrong_examples;  // the first few

  // Something was answered OK or NOKEY, nothing was wrong, lost or malformed, and the service was
  // there to the end. RETRY and the like are results, not faults of the run.
  bool Good() const;
};

std::string BenchText(const BenchOptions& options, const BenchResult& result);
std::string BenchJson(const BenchOptions& options, const BenchResult& result);

// One line, without its end. `at` is the time since the run began.
std::string BenchProgressLine(double at_seconds, double interval_seconds,
                              const BenchTally::Interval& interval, int connected, bool warm_up);

}  // namespace proxymux::proxy
