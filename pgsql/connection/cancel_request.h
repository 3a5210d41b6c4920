// The latest request to cancel what runs on one connection, and which errors are its doing.
//
// A cancel request names a session, not a statement: it ends whatever runs there when it arrives.
// The server keeps the results of a batch back until the batch ends, so which of several statements
// ran too long shows only then; and a late request hits a statement that was sent after it.
//
// clang-format off
//   kNone    ── OnSent ───────────────────> kPending
//   kPending ── a statement was cancelled ─> kHit
//   kPending ── everything is answered ────> kLate
//   kLate    ── a statement was cancelled ─> kHit
// clang-format on
//
// Pure.
#pragma once

#include <cstdint>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

class CancelRequest {
 public:
  enum class State : std::uint8_t {
    kNone,     // there was none yet
    kPending,  // sent; the connection takes nothing new until it has shown its effect
    kLate,     // everything was answered before it showed any: it may still hit what comes next
    kHit,      // a statement came back cancelled
  };

  // Anyone who sent a request may send another one.
  void OnSent(Time now, std::size_t in_flight);
  void OnCancelled();    // a statement came back cancelled
  void OnAllAnswered();  // nothing is in flight any more

  State state() const { return state_; }
  bool pending() const { return state_ == State::kPending; }
  // The server did not react in time: the connection is of no more use.
  bool Overdue(Time now) const;
  // A statement that comes back cancelled now is our doing; otherwise it was an administrator's or
  // statement_timeout's.
  bool MayHaveHit(Time now) const;
  // And it is the one that ran too long: no other was in flight.
  bool HitsTheOne() const { return pending() && alone_; }

 private:
  State state_ = State::kNone;
  bool alone_ = false;
  Time sent_{};
};

}  // namespace proxymux::pgsql
