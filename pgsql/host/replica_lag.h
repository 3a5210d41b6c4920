// How far one host is behind its primary, by its own answers, and whether it may serve: with a
// limit to that lag (max_replica_lag), or where only servers of one role are wanted.
//
// clang-format off
//   kUnknown ── within the limit ──> kCurrent
//   kUnknown ── further behind, replaced, or nobody can tell how far ──> kBehind
//   kCurrent <──> kBehind, by the next answer
//   both ── with a limit: the last answer is too old ──> kUnknown
//   kBehind ── it was replaced, and no connection to it is left ──> kUnknown
// clang-format on
//
// An answer gets older: with a limit a host serves as long as it cannot be further behind than the
// limit and one second, so that what was committed before that is found. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "pgsql/host/cluster_log.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class ReplicaLag {
 public:
  enum class Standing : std::uint8_t {
    kCurrent,  // also: nothing of that counts, or it cannot be asked
    kUnknown,  // to be asked before it serves
    kBehind,
  };
  enum class Failure : std::uint8_t {
    kPassing,  // it may say so the next time
    kRefusal,  // it cannot say, or may not
  };
  // An answer about the role counts for so long.
  static constexpr Duration kRoleLasts = std::chrono::minutes(1);
  // What is asked of a host that serves.
  struct Terms {
    Duration limit{};                 // how far it may be behind; 0: as far as it is
    bool role_counts = false;         // a primary that was replaced does not serve, limit or not
    bool another_is_primary = false;  // and only that is wanted: a standby does not serve
  };

  // About once a second, and twice with a limit; at once when what it said does not count any more.
  bool ShouldAsk(Time now, Duration limit) const;
  void OnAsked(Time now);
  // The question is not under way any more. Unless OnAnswered() or OnFailed() follows, the host is
  // to be asked anew.
  void OnBack() { question_ = Question::kNone; }
  // The host answered; `log`: what is known of its cluster.
  void OnAnswered(const ReplicaState& state, RealTime asked, RealTime answered,
                  const ClusterLog& log);
  // The host gave no answer. True when it serves from now on although it cannot be asked.
  bool OnFailed(Failure failure, Time now);
  // No connection to the host is left: the next one may lead to another server.
  void OnLeft(RealTime now);
  // Answers on connections that are gone count no more.
  void Forget();
  // There is a limit now, or none any more.
  void OnNewLimit() { not_before_.reset(); }

  // Judges anew, with what is known of the host's cluster; null: nothing.
  void Look(RealTime now, const Terms& terms, const ClusterLog* log);
  Standing standing() const { return standing_; }
  // It was behind when that was known last.
  bool WasBehind() const { return was_behind_; }
  // Of kBehind: the host has not an older state than others have, but another log; or it is no
  // primary any more.
  bool Apart() const { return replaced_ || diverged_; }
  bool Demoted() const { return replaced_ && state_.has_value() && state_->standby; }

  // The last answer; none: nothing yet on the connections that there are.
  std::optional<ReplicaState> state() const { return left_.has_value() ? std::nullopt : state_; }
  RealTime asked() const { return asked_; }  // when the question for it was sent
  // How far the host was behind then, at most; none: it did not say, or nobody can know.
  std::optional<Duration> lag() const { return left_.has_value() ? std::nullopt : lag_; }
  // The same, also of an answer on connections that are gone; very much, where nobody can know.
  Duration KnownLag() const { return lag_.value_or(Duration::max()); }
  std::string Why() const;  // of kBehind: "it is 12.3 s behind (max_replica_lag)"
  // Whether the host is a primary is known, or cannot be asked.
  bool RoleKnown() const { return not_before_.has_value() || state().has_value(); }
  // The last answer about the role is so old that the role may have changed since.
  bool Unseen(RealTime now) const;
  // The last answer about the role was "primary", and is not older than `ago`.
  bool WasPrimary(RealTime now, Duration ago = kRoleLasts) const;

 private:
  enum class Question : std::uint8_t { kNone, kUnderWay, kAnswered };

  void Clear();
  // Whose log, and how much of it was received.
  struct Place {
    std::uint64_t system = 0;
    std::uint64_t received = 0;
    bool operator==(const Place&) const = default;
  };

  Standing Judge(RealTime now, const Terms& terms) const;
  void Settle(const ReplicaState& state, RealTime asked, const ClusterLog& log);

  std::optional<ReplicaState> state_;
  std::optional<Duration> lag_;
  bool replaced_ = false;
  bool diverged_ = false;
  bool settled_ = false;    // it receives the log, and was not seen to catch up since it had all
  RealTime first_asked_{};  // of what was said since it is connected to
  bool undecided_ = false;  // whether it catches up, or has all, will show soon
  Place settled_at_;        // where it was when it was settled, also on other connections
  RealTime asked_{};        // of what it said last
  RealTime answered_{};
  RealTime still_since_{};        // since when its place in the log has been the same
  std::optional<RealTime> left_;  // what it said last counts against it for a while
  Question question_ = Question::kNone;
  Time last_asked_{};
  std::optional<Time> not_before_;  // it cannot be asked: not again before
  bool refused_ = false;            // it may not be asked on any connection
  int failures_ = 0;                // in a row
  std::optional<RealTime>
      primary_at_;  // when it said last that it is one, unless it said otherwise
  Standing standing_ = Standing::kCurrent;
  bool was_behind_ = false;
};

}  // namespace proxymux::pgsql
