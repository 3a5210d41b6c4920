// Moments of a server's log, counted from one at which a test begins.
#pragma once

#include <chrono>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

inline constexpr RealTime kNow{std::chrono::hours(1)};

inline RealTime At(double second) {
  return kNow + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(second));
}

}  // namespace proxymux::pgsql
