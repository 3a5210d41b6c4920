#include "pgsql/host/lag_rule.h"

#include <cstddef>

namespace proxymux::pgsql {

void LagRule::OnAnswered(const ReplicaState& state, Time asked, PoolHost* host) {
  wal_.Note(state, asked);
  host->lag.OnAnswered(state, asked, wal_);
}

void LagRule::Look(Time now, HostSet* hosts) const {
  bool any_better = false;  // than one that is behind
  for (std::size_t index = 0; index < hosts->size(); ++index) {
    PoolHost& host = (*hosts)[index];
    host.lag.Look(now, limit_);
    host.is_primary = host.lag.WasPrimary(now);
    host.barred = host.lag.standing() != ReplicaLag::Standing::kCurrent;
    const HostHealth::State state = host.health.state();
    const bool serves =
        host.ready > 0 || (state != HostHealth::State::kDown && !host.slow_to_connect);
    any_better =
        any_better || (serves && state != HostHealth::State::kSuspect && !host.TooFarBehind());
  }
  if (any_better || when_all_ != config::WhenAllLag::kUse) return;
  for (std::size_t index = 0; index < hosts->size(); ++index) {
    PoolHost& host = (*hosts)[index];
    if (host.TooFarBehind()) host.barred = false;
  }
}

}  // namespace proxymux::pgsql
