#include "tests/drills/machine_watch.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace proxymux::drills {
namespace {

using Clock = CoveredTime::Clock;

constexpr std::chrono::milliseconds kEvery(5);
// Processes that share a processor make each other late by as much; none of them does that to a
// thread of a real-time class.
constexpr std::chrono::milliseconds kUsual(50);
constexpr std::chrono::milliseconds kUsualInRealTime(10);

bool RunInRealTime() {
  sched_param parameters{};
  parameters.sched_priority = sched_get_priority_min(SCHED_FIFO);
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0;
}

cpu_set_t Only(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  return set;
}

}  // namespace

std::vector<int> Processors() {
  cpu_set_t ours;
  CPU_ZERO(&ours);
  std::vector<int> result;
  if (sched_getaffinity(0, sizeof(ours), &ours) != 0) return result;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &ours)) result.push_back(processor);
  }
  return result;
}

void CoveredTime::Add(Clock::time_point from, Clock::time_point until) {
  from = std::max(from, until_);
  if (until <= from) return;
  length_ += until - from;
  until_ = until;
}

MachineWatch::MachineWatch() : MachineWatch(Processors()) {}

MachineWatch::MachineWatch(const std::vector<int>& processors)
    : started_(static_cast<std::ptrdiff_t>(processors.size())) {
  for (const int processor : processors) {
    threads_.emplace_back([this, processor] { Watch(processor); });
  }
  started_.wait();
}

MachineWatch::~MachineWatch() {
  ends_ = true;
  for (std::thread& thread : threads_) thread.join();
}

double MachineWatch::away_ms() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration<double, std::milli>(away_.length()).count();
}

void MachineWatch::Watch(int processor) {
  const cpu_set_t here = Only(processor);
  pthread_setaffinity_np(pthread_self(), sizeof(here), &here);
  const auto usual = RunInRealTime() ? kUsualInRealTime : kUsual;
  started_.count_down();
  while (!ends_) {
    const Clock::time_point due = Clock::now() + kEvery;
    std::this_thread::sleep_until(due);
    const Clock::time_point now = Clock::now();
    if (now - due <= usual) continue;
    // A machine that is paused takes all its processors away at once, which counts once.
    const std::lock_guard lock(mutex_);
    away_.Add(due, now);
  }
}

}  // namespace proxymux::drills
