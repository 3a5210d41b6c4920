#include "pgsql/host_set.h"

#include <tuple>

namespace proxymux::pgsql {

bool HostSet::TakesConnection(const PoolHost& host, Time now) const {
  if (!host.health.MayConnect(now)) return false;
  return host.health.state() == HostHealth::State::kUp || host.connecting == 0;
}

std::optional<std::size_t> HostSet::ChooseForConnection(Time now, std::minstd_rand* random) const {
  std::optional<std::size_t> best;
  const auto rank = [this](std::size_t index) {
    const PoolHost& host = hosts_[index];
    // A host that was down is tried by a probe, not in preference to one that is up.
    const bool down = host.health.state() == HostHealth::State::kDown;
    return std::make_tuple(down, host.kind, host.connecting + host.ready);
  };
  std::size_t equals = 0;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (!TakesConnection(hosts_[i], now)) continue;
    if (!best.has_value() || rank(i) < rank(*best)) {
      best = i;
      equals = 1;
    } else if (rank(i) == rank(*best)) {
      ++equals;
      if (std::uniform_int_distribution<std::size_t>(1, equals)(*random) == 1) best = i;
    }
  }
  return best;
}

std::optional<std::size_t> HostSet::ChooseForProbe(Time now) const {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const PoolHost& host = hosts_[i];
    if (host.health.state() == HostHealth::State::kDown && TakesConnection(host, now)) return i;
  }
  return std::nullopt;
}

bool HostSet::MayConnect(Time now) const {
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const PoolHost& host) { return TakesConnection(host, now); });
}

bool HostSet::AnyDown() const {
  for (const PoolHost& host : hosts_) {
    if (host.health.state() == HostHealth::State::kDown) return true;
  }
  return false;
}

bool HostSet::MayServe(std::size_t index, Time now) const {
  const PoolHost& host = hosts_[index];
  return host.ready > 0 || host.connecting > 0 || host.health.MayConnect(now);
}

}  // namespace proxymux::pgsql
