// Takes a host of a HostSet out of service, as a pool would.
#pragma once

#include <random>

#include "pgsql/host/host_health.h"
#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

// A connection to it could not be made; those that it has stay.
inline void FailAttempt(PoolHost& host, Time now, std::minstd_rand* random) {
  host.health.OnFailed(now, HostHealth::FailureKind::kUnreachable, "down", random);
}

// It has no connection any more, and gets none.
inline void TakeDown(PoolHost& host, Time now, std::minstd_rand* random) {
  host.ready = 0;
  FailAttempt(host, now, random);
}

}  // namespace proxymux::pgsql
