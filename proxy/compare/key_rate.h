// How many keys may be asked by when. Pure: the time is given.
#pragma once

#include <chrono>
#include <cstddef>

namespace proxymux::proxy {

class KeyRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Keys a second, at least 1.
  explicit KeyRate(std::size_t rate) : rate_(rate) {}

  // When so many keys may be asked, which they are then.
  Time Take(std::size_t keys, Time now) {
    const Time at = next_ > now ? next_ : now;
    next_ = at + std::chrono::nanoseconds(keys * 1'000'000'000 / rate_);
    return at;
  }

 private:
  const std::size_t rate_;
  Time next_{};
};

}  // namespace proxymux::proxy
