// How far the write-ahead log of one cluster is known to have come, and when that was: so a standby
// that is not as far is at most as old as the latest moment at which the log was.
//
// Told by primaries, which write it, and by standbys that receive it. Positions of one moment are
// worth more than the commit times that a standby knows: those come from another server's clock,
// and stand still while nothing is written. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class WalHistory {
 public:
  // What is older than this is no sign of where the log is now.
  static constexpr Duration kFresh = std::chrono::seconds(3);

  // A server was asked then, and said so. Of another cluster than before: begins anew.
  void Note(const ReplicaState& state, Time asked);

  // A primary of a newer timeline is known: this one was replaced, and does not know it.
  bool Replaced(const ReplicaState& state) const;
  // Where the log is was known a short time before that.
  bool Fresh(const ReplicaState& state, Time asked) const;
  // How long at most a server that was at `state` then has not known of something; 0: it knows all
  // that is known here. None: since before anything that is kept here.
  std::optional<Duration> Behind(const ReplicaState& state, Time asked) const;

 private:
  struct Mark {
    std::uint64_t position = 0;
    Time reached{};  // nothing behind the position was written before that
  };
  // So much of the past is kept.
  static constexpr std::size_t kMarks = 64;
  static constexpr Duration kApart = std::chrono::milliseconds(250);

  void Add(std::uint64_t position, Time asked);
  const Mark& Nth(std::size_t age) const { return marks_[(next_ + kMarks - 1 - age) % kMarks]; }

  std::uint64_t system_ = 0;
  std::uint32_t timeline_ = 0;
  std::array<Mark, kMarks> marks_{};  // a ring, by position
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  Mark newest_;  // beyond the marks, or the last of them
};

}  // namespace proxymux::pgsql
