// How the starting of stock processes goes: after a failure the next waits 100 ms, doubling up to
// 10 s; after the third in a row there is no hope. Pure.
#pragma once

#include <chrono>
#include <string>

#include "proxy/relay/stock_policy.h"

namespace proxymux::proxy {

class StockStarts {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The policy must outlive it.
  explicit StockStarts(const StockPolicy* policy) : policy_(policy) {}

  void OnFailed(const std::string& reason, Time now);
  void OnGreeting();
  // A process ended by the fault of a request: no failed start, but nothing to be repeated at once.
  void HoldBack(Time now);
  void OnTime(Time now);

  bool MayStart(Time now) const { return now >= blocked_until_; }
  // While nothing else lives, what waits may as well fail.
  bool Hopeless(Time now) const;
  // When MayStart() will be true; Time{}: it is.
  Time blocked_until() const { return blocked_until_; }
  const std::string& last_failure() const { return last_failure_; }  // empty: there was none

 private:
  const StockPolicy* const policy_;
  int failed_ = 0;  // in a row
  Time blocked_until_{};
  std::string last_failure_;
};

}  // namespace proxymux::proxy
