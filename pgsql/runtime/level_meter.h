// A level that goes up and down, such as the length of a queue, for those who look rarely: what it
// added up to over time, and how high it was lately. Pure: time comes in.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class LevelMeter {
 public:
  // The highest level is kept for one to two of these, so that everybody who looks once in a while
  // sees it, whoever else looks.
  static constexpr Duration kRemembered = std::chrono::minutes(1);

  void Set(Time now, std::size_t level) {
    area_ += Since(now);
    changed_ = now;
    TurnOver(now);
    level_ = level;
    highest_ = std::max(highest_, level);
  }

  std::size_t level() const { return level_; }
  // Level times time: its growth in a second is the mean level.
  Duration Area(Time now) const { return area_ + Since(now); }
  // Of the last one to two minutes.
  std::size_t Highest(Time now) const {
    LevelMeter then = *this;
    then.TurnOver(now);
    return std::max(then.highest_, then.highest_before_);
  }

 private:
  Duration Since(Time now) const {
    return std::max(now - changed_, Duration::zero()) * static_cast<Duration::rep>(level_);
  }
  void TurnOver(Time now) {
    if (now < turned_over_ + kRemembered) return;
    // Nothing but the present level has been there if that is long ago.
    highest_before_ = now < turned_over_ + 2 * kRemembered ? highest_ : level_;
    highest_ = level_;
    turned_over_ = now;
  }

  std::size_t level_ = 0;
  Time changed_{};
  Duration area_{};
  Time turned_over_{};
  std::size_t highest_ = 0;         // since then
  std::size_t highest_before_ = 0;  // in the minute before
};

}  // namespace proxymux::pgsql
