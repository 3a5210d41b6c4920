// How far one host is behind its primary, as it says when it is asked, and whether it may serve
// with a limit to that (max_replica_lag).
//
//   kCurrent ── further behind than the limit, or nobody can say how far ──> kBehind
//   kBehind  ── within the limit again ──> kCurrent
//   any      ── its last word is too old, or there is none ──> kUnknown
//
// What it said gets older: with a limit a host serves as long as it cannot be further behind than
// the limit and one second, so that what was committed before that is found. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pgsql/host/replica_state.h"
#include "pgsql/host/wal_history.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class ReplicaLag {
 public:
  enum class Standing : std::uint8_t {
    kCurrent,  // also: there is no limit, or it cannot be asked
    kUnknown,  // to be asked before it serves
    kBehind,
  };

  // About once a second, and twice with a limit.
  bool ShouldAsk(Time now, Duration limit) const;
  void OnAsked(Time now);
  // The question is not under way any more; unless one of the next two follows, it is asked anew.
  void OnBack() { question_ = Question::kNone; }
  // What it said to a question of then, and what of that was noted in the history.
  void OnAnswered(const ReplicaState& state, Time asked, const WalHistory& history);
  // It could not say. True when it will not be asked for a while, since that has become usual.
  bool OnFailed(Time now);
  // No connection to it is left: the next one may lead to another server.
  void OnLeft();

  // Looks again, with the limit; 0: none.
  void Look(Time now, Duration limit) { standing_ = Judge(now, limit); }
  Standing standing() const { return standing_; }

  // What it said last; none: nothing yet on the connections that there are.
  const std::optional<ReplicaState>& state() const { return state_; }
  // At most that far behind then; none: it did not say, or nobody can know.
  std::optional<Duration> lag() const { return lag_; }
  std::string Why() const;  // of kBehind: "it is 12.3 s behind"
  // It was one the last time that it said so, and that is not long ago.
  bool WasPrimary(Time now) const;

 private:
  enum class Question : std::uint8_t { kNone, kUnderWay, kAnswered };

  Standing Judge(Time now, Duration limit) const;

  std::optional<ReplicaState> state_;
  std::optional<Duration> lag_;
  bool replaced_ = false;
  Time asked_{};  // of what it said last
  Question question_ = Question::kNone;
  Time last_asked_{};
  std::optional<Time> not_before_;  // it cannot be asked: not again before
  int failures_ = 0;                // in a row
  std::optional<Time> primary_at_;  // when it said last that it is one, unless it said otherwise
  Standing standing_ = Standing::kCurrent;
};

}  // namespace proxymux::pgsql
