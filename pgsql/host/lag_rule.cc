#include "pgsql/host/lag_rule.h"

#include <algorithm>

namespace proxymux::pgsql {
namespace {

// It is connected to, or may be.
bool IsThere(const PoolHost& host) {
  if (host.health.disabled()) return false;
  return host.ready > 0 || host.health.state() != HostHealth::State::kDown;
}

bool IsBehind(const PoolHost& host) { return host.lag.standing() == ReplicaLag::Standing::kBehind; }

bool AnyConnection(const HostSet& hosts) {
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    if (hosts[index].connecting + hosts[index].ready > 0) return true;
  }
  return false;
}

// Or was, and has to be asked again before more is known.
bool IsOrWasBehind(const PoolHost& host) {
  return IsBehind(host) ||
         (host.lag.standing() == ReplicaLag::Standing::kUnknown && host.lag.WasBehind());
}

bool BelongsTo(const PoolHost& host, std::uint64_t system) {
  const auto state = host.lag.state();
  return state.has_value() && state->system == system;
}

}  // namespace

void LagRule::SetLimit(Duration limit, config::WhenAllLag when_all, HostSet* hosts) {
  const bool had_one = limit_ > Duration::zero();
  limit_ = limit;
  when_all_ = when_all;
  if (had_one == (limit > Duration::zero())) return;
  for (std::size_t index = 0; index < hosts->size(); ++index) (*hosts)[index].lag.OnNewLimit();
}

const ClusterLog* LagRule::LogOf(const PoolHost& host) const {
  for (const Cluster& cluster : clusters_) {
    if (BelongsTo(host, cluster.system)) return &cluster.log;
  }
  return nullptr;
}

ClusterLog* LagRule::LogFor(std::uint64_t system, const HostSet& hosts) {
  for (Cluster& cluster : clusters_) {
    if (cluster.system == system) return &cluster.log;
  }
  std::erase_if(clusters_, [&](const Cluster& cluster) {
    for (std::size_t index = 0; index < hosts.size(); ++index) {
      if (BelongsTo(hosts[index], cluster.system)) return false;
    }
    return true;
  });
  return &clusters_.emplace_back(Cluster{.system = system, .log = {}}).log;
}

void LagRule::OnAnswered(const ReplicaState& state, RealTime asked, RealTime answered,
                         std::size_t index, HostSet* hosts) {
  ReplicaLag& lag = (*hosts)[index].lag;
  ClusterLog* const log = LogFor(state.system, *hosts);
  if (!lag.Apart() || !state.standby) log->Note(state, asked);
  lag.OnAnswered(state, asked, answered, *log);
}

void LagRule::Look(RealTime now, HostSet* hosts) {
  const bool connected = AnyConnection(*hosts);
  for (std::size_t index = 0; index < hosts->size(); ++index) {
    PoolHost& host = (*hosts)[index];
    if (!connected) host.lag.Forget();  // somebody has to be asked
    host.lag.Look(now, TermsFor(index, *hosts, now), LogOf(host));
    host.is_primary = host.lag.WasPrimary(now);
    host.barred = host.lag.standing() != ReplicaLag::Standing::kCurrent ||
                  (role_counts() && !host.lag.RoleKnown());
  }
  uses_those_behind_ = when_all_ == config::WhenAllLag::kUse && ShouldUseThoseBehind(*hosts);
  if (uses_those_behind_) UseLeastBehind(limit_, hosts);
}

ReplicaLag::Terms LagRule::TermsFor(std::size_t index, const HostSet& hosts, RealTime now) const {
  ReplicaLag::Terms terms{.limit = limit_, .role_counts = role_counts()};
  if (wanted_ != Wanted::kPrimary) return terms;
  for (std::size_t other = 0; other < hosts.size(); ++other) {
    const ReplicaLag& lag = hosts[other].lag;
    if (other == index || lag.Apart()) continue;
    if (lag.WasPrimary(now, ClusterLog::kForgotten)) terms.another_is_primary = true;
  }
  return terms;
}

bool LagRule::Unseen(const PoolHost& host, RealTime now) const {
  return sees_all() && host.connecting + host.ready == 0 && host.lag.Unseen(now);
}

bool LagRule::ShouldUseThoseBehind(const HostSet& hosts) const {
  bool all_behind = true;
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    const PoolHost& host = hosts[index];
    if (host.health.disabled() || IsOrWasBehind(host)) continue;
    if (IsThere(host)) return false;
    all_behind = false;
  }
  return all_behind || uses_those_behind_ || !hosts.WaitsForOutages() ||
         hosts.outage().state() == Outage::State::kGivenUp;
}

void LagRule::UseLeastBehind(Duration limit, HostSet* hosts) {
  const auto usable = [](const PoolHost& host) {
    return IsBehind(host) && IsThere(host) && !host.lag.Apart();
  };
  Duration least = Duration::max();
  for (std::size_t index = 0; index < hosts->size(); ++index) {
    const PoolHost& host = (*hosts)[index];
    if (usable(host)) least = std::min(least, host.lag.KnownLag());
  }
  for (std::size_t index = 0; index < hosts->size(); ++index) {
    PoolHost& host = (*hosts)[index];
    if (usable(host) && host.lag.KnownLag() - limit <= least) host.barred = false;
  }
}

}  // namespace proxymux::pgsql
