// Whether the lookups of a pool wait for its hosts to come back.
//
// An outage begins when no host can serve any more, and is over when one is in use again. At first
// lookups wait, as long as the window (outage_wait) lasts and some host may come back by itself;
// then they are answered kRetry at once.
//
//   kNone ── no host can serve ──> kWaiting ── the window is over ──> kGivenUp
//   any of them ── a host is in use ──> kNone
//
// The window is counted from the beginning of the outage, so whoever asks is held by it once. Hosts
// that were in use for less than a window before they failed again are in the same outage: servers
// that come and go hold nobody for more than half of the time. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class Outage {
 public:
  enum class State : std::uint8_t { kNone, kWaiting, kGivenUp };

  // What the hosts of the pool are like, the best one first.
  enum class Hosts : std::uint8_t {
    kInUse,        // one is up, or owes an answer; or has answered since the outage began, on
                   // connections that are open, whatever becomes of new ones
    kTried,        // one was not connected to yet, or is in its trial, or has open connections
    kUnreachable,  // all are down, one in a way that may pass
    kRefused,      // all are down until somebody mends something
  };

  // Looks again: the hosts are so now, or only time has passed. True when the state changed.
  bool Look(Time now, Hosts hosts, Duration window);

  State state() const { return state_; }
  bool waiting() const { return state_ == State::kWaiting; }
  Time begun() const { return begun_; }  // of the latest one
  // Of the window that it is in; 0 when lookups do not wait.
  Duration WaitLeft(Time now, Duration window) const {
    return waiting() ? window_begun_ + window - now : Duration::zero();
  }
  // When a host was in use again after it.
  std::optional<Time> over() const { return over_; }

 private:
  State state_ = State::kNone;
  Time begun_{};
  Time window_begun_{};
  std::optional<Time> over_;
};

}  // namespace proxymux::pgsql
