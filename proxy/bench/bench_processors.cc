#include "proxy/bench/bench_processors.h"

#include <sys/resource.h>

namespace proxymux::proxy {
namespace {

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void BenchProcessors::Begin() {
  at_begin_ = Read();
  own_at_begin_ = OwnCpuSeconds();
}

void BenchProcessors::End(BenchResult* result) const {
  result->own_cpu_seconds = OwnCpuSeconds() - own_at_begin_;
  result->processes.clear();
  const std::vector<ProcessUse> at_end = Read();
  for (std::size_t i = 0; i < at_end.size(); ++i) {
    result->processes.push_back({processes_[i].name, processes_[i].pid,
                                 at_end[i].cpu_seconds - at_begin_[i].cpu_seconds, at_end[i]});
  }
}

std::vector<ProcessUse> BenchProcessors::Read() const {
  if (processes_.empty()) return {};
  std::vector<pid_t> roots;
  for (const BenchOptions::Process& process : processes_) roots.push_back(process.pid);
  return UseOfProcessTrees(roots);
}

}  // namespace proxymux::proxy
