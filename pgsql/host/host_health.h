// Whether one database host may be connected to now: a small state machine with back-off and
// jitter.
//
// clang-format off
//   kUntried ── connected ───────────────> kUp
//   kUp      ── a connection is silent ──> kSuspect
//   kSuspect ── connected, or answers ───> kUp
//   any      ── cannot be connected to ──> kDown
//   kDown    ── connected ───────────────> kTrial
//   kTrial   ── a new connection answers > kUp
//   kTrial   ── it ends without ─────────> kDown, if older ones are there
// clang-format on
//
// Only connecting is held back. Connections that are open and work go on being used whatever the
// state is: a server that is full (53300) still answers on those that it has. Pure: time comes in
// as `now`, randomness is the caller's engine.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class HostHealth {
 public:
  enum class State {
    kUntried,  // never connected to
    kUp,       // connects and answers
    kSuspect,  // owes an answer for too long; one connection more finds out whether it lives
    kDown,     // the latest attempt failed; the next one waits until retry_at()
    kTrial,  // was down and can be connected to again: one connection, until the host has answered
  };

  enum class FailureKind {
    kUnreachable,  // nobody answers, or the server is starting, stopping or full: soon over, and
                   // cheap to ask again
    kRefused,  // password, database, settings: lasts until somebody mends it, and each attempt is
               // logged by the server
  };

  // `retry_limit` bounds the back-off of kRefused (retry_interval); that of kUnreachable never
  // exceeds 800 ms, so that a host is in use again within a second of its return, and 50 ms while
  // lookups wait for it.
  explicit HostHealth(Duration retry_limit) : retry_limit_(retry_limit) {}

  State state() const { return state_; }
  const std::string& reason() const { return reason_; }  // of kDown, kTrial and kSuspect
  Time since() const { return since_; }                  // of the state
  Time down_since() const { return down_since_; }        // kDown and kTrial only
  Time retry_at() const { return retry_at_; }            // kDown only
  FailureKind failure() const { return failure_; }       // of the latest attempt that failed
  // It is down for no other reason than that its role is not the one that target_session_attrs
  // wants: nothing is wrong with it.
  bool OfOtherRole() const;
  bool MayConnect(Time now) const {
    return !disabled() && (state_ != State::kDown || now >= retry_at_);
  }
  // The latest failure of any kind, whatever became of the host since.
  struct Error {
    std::string text;
    Time at{};
  };
  const std::optional<Error>& last_error() const { return last_error_; }
  // One that changes no state.
  void NoteError(Time now, std::string text) { last_error_ = Error{std::move(text), now}; }
  // Whether the administrator has taken the host out of use, and since when: then it is not
  // connected to, whatever its state.
  bool disabled() const { return disabled_since_.has_value(); }
  std::optional<Time> disabled_since() const { return disabled_since_; }
  // The host passed its test a short time ago, so it lives; it is its statements that take long.
  bool Trusted(Time now) const { return state_ == State::kUp && now < trusted_until_; }

  void Disable(Time now) { disabled_since_ = disabled_since_.value_or(now); }
  void Enable() { disabled_since_.reset(); }
  void OnConnected(Time now);
  // A statement was answered, on a connection that was opened at that time. True when that ends a
  // trial: the host is in full use again. One that was there before says nothing of new ones.
  bool OnAnswered(Time now, Time opened);
  // An attempt was given up for the sake of another host: of those that are due this one is the
  // last.
  void OnGivenUp(Time now);
  // Lookups wait for the host from now on: an unreachable one is tried at once, however long the
  // back-off had become.
  void OnAwaited(Time now);
  // True when the state changed; that of a trusted host does not.
  bool OnSilent(Time now, std::string reason);
  // True when the state or the reason changed, which is worth one line in the log.
  // `took`: how long the attempt took; for an unreachable host the back-off is shorter by that.
  // `awaited`: lookups wait for the host; the back-off of an unreachable one does not grow.
  bool OnFailed(Time now, FailureKind kind, std::string reason, std::minstd_rand* random,
                Duration took = Duration::zero(), bool awaited = false);

 private:
  void SetState(State state, Time now);

  Duration retry_limit_;
  State state_ = State::kUntried;
  std::string reason_;
  Time since_{};
  Time down_since_{};
  Time retry_at_{};
  Time trusted_until_{};
  Duration backoff_{};
  FailureKind failure_ = FailureKind::kUnreachable;
  std::optional<Time> disabled_since_;
  std::optional<Error> last_error_;
};

}  // namespace proxymux::pgsql
