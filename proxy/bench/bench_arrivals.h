// The open loop's clock: when each lookup is due, whatever became of those before it.
//
// Lookups are due at fixed distances or, as independent senders would have it, at random distances
// of the same mean (a Poisson process). A lookup that no client was free for stays due at its own
// time, and its latency counts from there: a service that stalls cannot hide the lookups that it
// held up (coordinated omission). Times are nanoseconds of any one clock.
#pragma once

#include <cstdint>
#include <random>

namespace proxymux::proxy {

class BenchArrivals {
 public:
  enum class Spacing { kEven, kPoisson };

  // `rate` is in lookups per second, above 0. The first one is due at `start`.
  BenchArrivals(double rate, Spacing spacing, std::int64_t start, std::uint64_t seed);

  std::int64_t due() const { return due_; }  // of the next lookup
  void Take();                               // it is sent: on to the next lookup

  // How many are due before `end` and not taken; takes them, and calls `each` with their times.
  template <typename Function>
  std::uint64_t TakeAllBefore(std::int64_t end, Function each) {
    std::uint64_t count = 0;
    for (; due_ < end; ++count) {
      each(due_);
      Take();
    }
    return count;
  }

 private:
  double interval_;
  Spacing spacing_;
  std::int64_t start_;
  std::int64_t due_;
  double offset_ = 0;        // of due_ from start_; a double, so that no rounding adds up
  std::uint64_t taken_ = 0;  // even spacing: offset_ is taken_ * interval_
  std::mt19937_64 random_;
};

}  // namespace proxymux::proxy
