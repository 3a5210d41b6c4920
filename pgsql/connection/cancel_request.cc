#include "pgsql/connection/cancel_request.h"

#include <chrono>

namespace proxymux::pgsql {
namespace {

// What a connection that was asked to cancel has to react within.
constexpr Duration kGrace = std::chrono::seconds(1);

// PostgreSQL signals the process and then its group, so one cancel request may also hit the
// statement that comes next, if the second signal is late.
constexpr Duration kEcho = std::chrono::seconds(1);

}  // namespace

void CancelRequest::OnSent(Time now, std::size_t in_flight) {
  state_ = State::kPending;
  alone_ = in_flight == 1;
  sent_ = now;
}

void CancelRequest::OnCancelled() {
  switch (state_) {
    case State::kPending:
    case State::kLate:
      state_ = State::kHit;
      return;
    case State::kNone:
    case State::kHit:
      return;
  }
}

void CancelRequest::OnAllAnswered() {
  if (state_ == State::kPending) state_ = State::kLate;
}

bool CancelRequest::Overdue(Time now) const { return pending() && now - sent_ >= kGrace; }

bool CancelRequest::MayHaveHit(Time now) const {
  switch (state_) {
    case State::kNone:
      return false;
    case State::kPending:
    case State::kLate:
      return true;
    case State::kHit:
      return now - sent_ < kEcho;
  }
  return false;
}

}  // namespace proxymux::pgsql
