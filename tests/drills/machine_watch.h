// Whether the machine runs what wants to run: a thread on each processor that wakes every few
// milliseconds and adds up by how much it was late. A virtual machine that is paused, or that
// others take a processor from, makes clients wait, whatever is drilled.
#pragma once

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace proxymux::drills {

// The length of what some intervals cover together; they come in the order in which they end.
class CoveredTime {
 public:
  using Clock = std::chrono::steady_clock;

  void Add(Clock::time_point from, Clock::time_point until);
  Clock::duration length() const { return length_; }

 private:
  Clock::time_point until_{};
  Clock::duration length_{};
};

class MachineWatch {
 public:
  MachineWatch();
  ~MachineWatch();
  MachineWatch(const MachineWatch&) = delete;
  MachineWatch& operator=(const MachineWatch&) = delete;

  // For how many milliseconds one of the processors, or more, did not run what wanted to run.
  double away_ms() const;

 private:
  explicit MachineWatch(const std::vector<int>& processors);
  void Watch(int processor);

  std::atomic<bool> ends_ = false;
  mutable std::mutex mutex_;
  CoveredTime away_;  // under mutex_
  std::latch started_;
  std::vector<std::thread> threads_;
};

// Those that this process may run on.
std::vector<int> Processors();

}  // namespace proxymux::drills
