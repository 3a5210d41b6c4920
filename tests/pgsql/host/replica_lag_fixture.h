// How far one host is behind, at times that the test names, and the log of its cluster.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "pgsql/host/cluster_log.h"
#include "pgsql/host/replica_lag.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"
#include "tests/pgsql/host/replica_states.h"

namespace proxymux::pgsql {

using Standing = ReplicaLag::Standing;

inline constexpr Time kNow{std::chrono::hours(1)};
inline constexpr RealTime kThen{std::chrono::hours(9)};
inline constexpr Duration kLimit = std::chrono::seconds(5);
inline constexpr Duration kOld = std::chrono::hours(1);

class Lag : public testing::Test {
 protected:
  // `later` than the beginning, and answered at once.
  void Says(const ReplicaState& state, Duration later = {}) {
    log.Note(state, kThen + later);
    lag.OnAsked(kNow + later);
    lag.OnBack();
    lag.OnAnswered(state, kThen + later, kThen + later, log);
  }
  void PrimarySays(std::uint64_t position, Duration later) {
    log.Note(Primary(position), kThen + later);
  }
  Standing StandingAt(Duration later, Duration limit = kLimit, bool role_counts = false) {
    lag.Look(kThen + later, {.limit = limit, .role_counts = role_counts}, &log);
    return lag.standing();
  }

  ClusterLog log;
  ReplicaLag lag;
};

}  // namespace proxymux::pgsql
