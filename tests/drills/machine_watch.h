// Whether the machine runs what wants to run: a thread that wakes every few milliseconds and adds
// up by how much it was late. A virtual machine that is paused, or that others take the processors
// from, makes every client wait, whatever is drilled.
#pragma once

#include <atomic>
#include <thread>

namespace proxymux::drills {

class MachineWatch {
 public:
  MachineWatch() : thread_([this] { Watch(); }) {}
  ~MachineWatch();
  MachineWatch(const MachineWatch&) = delete;
  MachineWatch& operator=(const MachineWatch&) = delete;

  // In milliseconds, of what was late by more than processes that share a processor are.
  double away_ms() const { return away_ms_; }

 private:
  void Watch();

  std::atomic<bool> ends_ = false;
  std::atomic<double> away_ms_ = 0;
  std::thread thread_;
};

}  // namespace proxymux::drills
