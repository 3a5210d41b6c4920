// Waiting for something that another process brings about: never a fixed sleep, always a limit.
#pragma once

#include <chrono>
#include <functional>

namespace proxymux::harness {

using std::chrono::milliseconds;
using std::chrono::seconds;

// True as soon as `condition` holds; false when it still does not after `limit`. Asks every few
// milliseconds.
bool Eventually(const std::function<bool()>& condition, milliseconds limit = seconds(20));

double SecondsSince(std::chrono::steady_clock::time_point begin);

// A point in time that calls with a limit count down to.
class Deadline {
 public:
  explicit Deadline(milliseconds limit) : end_(std::chrono::steady_clock::now() + limit) {}
  // Milliseconds left, never negative, rounded up: what poll(2) wants.
  int Left() const;
  bool Passed() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace proxymux::harness
