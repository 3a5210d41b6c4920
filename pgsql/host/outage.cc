#include "pgsql/host/outage.h"

#include <utility>

namespace proxymux::pgsql {

bool Outage::Look(Time now, Hosts hosts, Duration window) {
  const bool in_window = now - window_begun_ < window;
  switch (hosts) {
    case Hosts::kInUse:
      if (state_ != State::kNone) over_ = now;
      return std::exchange(state_, State::kNone) != State::kNone;
    case Hosts::kTried:
      // What comes of it will show.
      if (state_ != State::kWaiting || in_window) return false;
      state_ = State::kGivenUp;
      return true;
    case Hosts::kUnreachable:
    case Hosts::kRefused:
      break;
  }
  bool waits = in_window;
  if (state_ == State::kNone) {
    begun_ = now;
    if (!over_.has_value() || now - *over_ >= window) {
      window_begun_ = now;
      waits = window > Duration::zero();
    }
  }
  const State next = waits && hosts == Hosts::kUnreachable ? State::kWaiting : State::kGivenUp;
  return std::exchange(state_, next) != next;
}

}  // namespace proxymux::pgsql
