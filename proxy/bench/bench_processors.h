// Processor time of a run: what we and the processes of `--cpu-of` used from its begin to its end.
#pragma once

#include <utility>
#include <vector>

#include "proxy/bench/bench_options.h"
#include "proxy/bench/bench_report.h"
#include "proxy/bench/process_tree.h"

namespace proxymux::proxy {

class BenchProcessors {
 public:
  explicit BenchProcessors(std::vector<BenchOptions::Process> processes)
      : processes_(std::move(processes)) {}

  void Begin();
  // Puts both into the result.
  void End(BenchResult* result) const;

 private:
  std::vector<ProcessUse> Read() const;

  const std::vector<BenchOptions::Process> processes_;
  double own_at_begin_ = 0;
  std::vector<ProcessUse> at_begin_;  // empty without processes
};

}  // namespace proxymux::proxy
