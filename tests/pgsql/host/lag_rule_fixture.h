// The hosts of a pool that say how far they are behind, and the rule that bars them for it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"
#include "pgsql/host/lag_rule.h"
#include "pgsql/host/replica_state.h"
#include "pgsql/runtime/event_loop.h"
#include "tests/pgsql/host/host_failures.h"
#include "tests/pgsql/host/replica_states.h"
#include "tests/pgsql/host/some_hosts.h"

namespace proxymux::pgsql {

inline constexpr Time kNow{std::chrono::hours(1)};
inline constexpr RealTime kThen{std::chrono::hours(9)};
inline constexpr Duration kLimit = std::chrono::seconds(5);

class HostSetLag : public testing::Test {
 protected:
  explicit HostSetLag(std::size_t count = 2) : hosts(SomeHosts(count)) {
    for (std::size_t i = 0; i < count; ++i) {
      hosts[i].health.OnConnected(kNow);
      hosts[i].ready = 1;
    }
    rule.SetLimit(kLimit, config::WhenAllLag::kRetry, &hosts);
  }
  void Behind(std::size_t host, Duration age = std::chrono::seconds(60)) {
    Says(host, CutOff(Standby(0, 0, age)));
  }
  void Current(std::size_t host) { Says(host, Standby(1, 1, std::chrono::milliseconds(1))); }
  void Says(std::size_t host, const ReplicaState& state, Duration later = {}) {
    rule.OnAnswered(state, kThen + later, kThen + later, host, &hosts);
  }
  void Look(Duration later = {}) {
    rule.Look(kThen + later, &hosts);
    hosts.LookForOutage(kNow + later);
  }
  void Down(std::size_t host) { TakeDown(hosts[host], kNow, &random); }

  HostSet hosts;
  LagRule rule;
  std::minstd_rand random{5};
};

}  // namespace proxymux::pgsql
