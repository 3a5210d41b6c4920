// How many clients of a load generator have a connection, and since when none of the busy ones
// has. Pure; times in nanoseconds.
#pragma once

#include <cstdint>
#include <string>

namespace proxymux::proxy {

class BenchPresence {
 public:
  void Came(bool idle) { ++(idle ? idle_ : busy_); }
  void Went(bool idle, std::int64_t now) {
    if (--(idle ? idle_ : busy_) == 0 && !idle) none_since_ = now;
  }

  int busy() const { return busy_; }
  int idle() const { return idle_; }

  // Why no busy one has a connection at `now`, by the last attempt's error. Empty: some have, or
  // none had for a moment only, as when a process of the service gives way to the next one.
  std::string WhyNone(std::int64_t now, const std::string& last_error) const {
    if (busy_ > 0) return "";
    if (!last_error.empty()) return last_error;
    return now - none_since_ < kMoment ? "" : "it takes clients and does not greet them";
  }

 private:
  static constexpr std::int64_t kMoment = 500'000'000;

  int busy_ = 0;
  int idle_ = 0;
  std::int64_t none_since_ = 0;
};

}  // namespace proxymux::proxy
