// How far a write-ahead log was seen to have come, and when: so a server that is not as far lacks
// at most what was written since the latest moment at which the log was.
//
// Positions of one moment are worth more than the commit times that a standby knows: those come
// from another server's clock, and stand still while nothing is written. The older the past is, the
// coarser it is kept. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class WalHistory {
 public:
  // A server was asked then, and the log was there. What is behind what is known already was seen
  // too late to count.
  void Add(std::uint64_t position, RealTime asked);

  bool empty() const { return count_ == 0; }
  std::uint64_t newest() const { return newest_.position; }
  RealTime newest_seen() const { return newest_.reached; }

  // The latest moment at which the log was known to be no further than that: who is there knows all
  // that was written before. None: the log had come further before anything that is kept here.
  std::optional<RealTime> KnownUntil(std::uint64_t position) const;
  // The earliest moment that is kept; not empty().
  RealTime Oldest() const { return marks_[0].reached; }

 private:
  struct Mark {
    std::uint64_t position = 0;
    RealTime reached{};  // nothing behind the position was written before that
  };
  static constexpr std::size_t kMarks = 64;
  static constexpr Duration kApart = std::chrono::milliseconds(250);

  void Thin();

  std::array<Mark, kMarks> marks_{};  // by position
  std::size_t count_ = 0;
  Mark newest_;  // beyond the marks, or the last of them
};

}  // namespace proxymux::pgsql
