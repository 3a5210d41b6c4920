#include "proxy/daemon/pool_collector.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace proxymux::proxy {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr char kDisabled[] = "the administrator has disabled it (proxymux ctl enable)";

std::string_view ClassName(pgsql::HostKind kind) {
  switch (kind) {
    case pgsql::HostKind::kUnixSocket:
      return "unix";
    case pgsql::HostKind::kTcp:
      return "inet";
    case pgsql::HostKind::kUri:
      return "uri";
  }
  return "";
}

std::string_view StateName(pgsql::HostHealth::State state) {
  switch (state) {
    case pgsql::HostHealth::State::kUntried:
      return "untried";
    case pgsql::HostHealth::State::kUp:
      return "up";
    case pgsql::HostHealth::State::kSuspect:
      return "suspect";
    case pgsql::HostHealth::State::kTrial:
      return "trial";
    case pgsql::HostHealth::State::kDown:
      return "down";
  }
  return "";
}

void FillInLag(const pgsql::PoolHost& host, pgsql::RealTime now, HostStatus* status) {
  const pgsql::ReplicaLag& lag = host.lag;
  if (lag.state().has_value()) {
    status->role = lag.state()->standby ? "standby" : "primary";
    status->lag_age = duration_cast<milliseconds>(now - lag.asked());
  }
  if (lag.lag().has_value()) status->lag = duration_cast<milliseconds>(*lag.lag());
  status->too_far_behind = lag.standing() == pgsql::ReplicaLag::Standing::kBehind;
  if (!status->too_far_behind) return;
  if (!status->reason.empty()) status->reason += "; ";
  status->reason += lag.Why();
}

std::string_view WhyDown(const pgsql::PoolHost& host) {
  if (host.health.disabled()) return "disabled";
  if (host.TooFarBehind()) return "behind";
  if (host.health.state() != pgsql::HostHealth::State::kDown || host.ready > 0) return "";
  if (host.health.OfOtherRole()) return "role";
  switch (host.health.failure()) {
    case pgsql::HostHealth::FailureKind::kUnreachable:
      return "unreachable";
    case pgsql::HostHealth::FailureKind::kRefused:
      return "refused";
  }
  return "";
}

HostStatus CollectHost(const pgsql::ConnectionPool& pool, std::size_t index,
                       const pgsql::EventLoop& loop) {
  const pgsql::PoolHost& host = pool.hosts()[index];
  HostStatus status;
  status.name = host.label;
  status.host_class = ClassName(host.kind);
  const std::optional<pgsql::Time> disabled = host.health.disabled_since();
  status.state = disabled ? "disabled" : StateName(host.health.state());
  status.down = WhyDown(host);
  status.usable = status.down.empty();
  status.reason = disabled ? kDisabled : host.health.reason();
  status.server_version = host.server_version;
  FillInLag(host, loop.RealNow(), &status);
  status.lone_simple = host.lone_form.better() == pgsql::Protocol::kSimple;
  if (disabled || host.health.state() != pgsql::HostHealth::State::kUntried) {
    status.since = duration_cast<milliseconds>(loop.Now() - disabled.value_or(host.health.since()));
  }
  status.connections = host.ready;
  status.in_flight = pool.InFlightOn(index);
  if (const auto& error = host.health.last_error()) {
    status.last_failure = {error->text, duration_cast<milliseconds>(loop.Now() - error->at)};
  }
  status.ok = host.counts.answered;
  status.failed = host.counts.failures;
  status.connects = host.counts.connects;
  status.connect_failures = host.counts.connect_failures;
  status.latency = host.latency;
  return status;
}

OutageState StateOf(pgsql::Outage::State outage) {
  switch (outage) {
    case pgsql::Outage::State::kNone:
      return OutageState::kServing;
    case pgsql::Outage::State::kWaiting:
      return OutageState::kWaiting;
    case pgsql::Outage::State::kGivenUp:
      return OutageState::kDown;
  }
  return OutageState::kServing;
}

}  // namespace

PoolStatus CollectPool(const pgsql::ConnectionPool& pool, const pgsql::EventLoop& loop) {
  const pgsql::PoolGauges gauges = pool.Gauges();
  const pgsql::PoolCounters counters = pool.counters();
  PoolStatus status;
  status.name = pool.name();
  status.outage = {StateOf(gauges.outage), duration_cast<milliseconds>(gauges.outage_lasts),
                   counters.outages, counters.outage_waits, counters.outage_retries};
  status.limit = static_cast<std::uint64_t>(pool.settings().connections);
  status.open = gauges.ready;
  status.connecting = gauges.connecting;
  status.busy = gauges.busy;
  status.idle = gauges.ready - gauges.busy;
  status.queue_length = gauges.queued;
  status.queue_limit = static_cast<std::uint64_t>(pool.settings().queue_limit);
  status.oldest_wait = duration_cast<milliseconds>(gauges.oldest_wait);
  status.lookups = counters.lookups;
  status.statements = counters.statements;
  status.syncs = counters.syncs;
  status.reruns = counters.reruns;
  status.asked_twice_stall = counters.stalled;
  status.asked_twice_hedge = counters.hedged;
  status.queue_timeouts = counters.queue_timeouts;
  status.lookup_timeouts = counters.lookup_timeouts;
  status.statement_timeouts = counters.statement_timeouts;
  status.busy_time = duration_cast<microseconds>(gauges.busy_time);
  status.queued_time = duration_cast<microseconds>(gauges.queued_time);
  status.most_busy = gauges.most_busy;
  status.most_queued = gauges.most_queued;
  status.cancels = counters.cancels;
  status.queue_full = counters.queue_full;
  for (std::size_t host = 0; host < pool.hosts().size(); ++host) {
    status.hosts.push_back(CollectHost(pool, host, loop));
  }
  return status;
}

std::vector<PoolStatus> CollectPools(const pgsql::PgPools& pools, const pgsql::EventLoop& loop) {
  std::vector<PoolStatus> all;
  for (const auto& pool : pools.All()) all.push_back(CollectPool(*pool, loop));
  return all;
}

std::vector<std::string> PoolFaults(const pgsql::PgPools& pools) {
  std::vector<std::string> faults;
  for (const auto& pool : pools.All()) {
    const pgsql::HostSet& hosts = pool->hosts();
    const pgsql::Outage::State outage = hosts.outage().state();
    // Where nobody asks an outage is over, and nobody has found out yet.
    if (outage != pgsql::Outage::State::kNone && hosts.AllDown()) {
      faults.push_back(
          "pool " + pool->name() + ": no host can be used: lookups " +
          (outage == pgsql::Outage::State::kWaiting ? "wait for one" : "are answered RETRY"));
    }
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (hosts[i].health.disabled()) {
        faults.push_back("pool " + pool->name() + ": host " + hosts[i].label + ": " + kDisabled);
        continue;
      }
      if (hosts[i].lag.standing() == pgsql::ReplicaLag::Standing::kBehind) {
        faults.push_back("pool " + pool->name() + ": host " + hosts[i].label + ": " +
                         hosts[i].lag.Why());
      }
      if (hosts[i].health.state() != pgsql::HostHealth::State::kDown) continue;
      if (hosts[i].health.OfOtherRole()) continue;
      faults.push_back("pool " + pool->name() + ": host " + hosts[i].label +
                       " is down: " + hosts[i].health.reason());
    }
  }
  return faults;
}

}  // namespace proxymux::proxy
