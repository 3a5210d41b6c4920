#include "proxy/daemon/status_collector.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>

namespace proxymux::proxy {
namespace {

using std::chrono::duration_cast;
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

HostStatus CollectHost(const pgsql::ConnectionPool& pool, std::size_t index,
                       const pgsql::EventLoop& loop) {
  const pgsql::PoolHost& host = pool.hosts()[index];
  HostStatus status;
  status.name = host.label;
  status.host_class = ClassName(host.kind);
  const std::optional<pgsql::Time> disabled = host.health.disabled_since();
  status.state = disabled ? "disabled" : StateName(host.health.state());
  const bool serves = host.health.state() != pgsql::HostHealth::State::kDown || host.ready > 0;
  status.usable = serves && !disabled && !host.TooFarBehind();
  status.reason = disabled ? kDisabled : host.health.reason();
  status.server_version = host.server_version;
  FillInLag(host, loop.RealNow(), &status);
  status.lone_simple = host.lone_form.better() == pgsql::Protocol::kSimple;
  if (disabled || host.health.state() != pgsql::HostHealth::State::kUntried) {
    status.since = duration_cast<milliseconds>(loop.Now() - disabled.value_or(host.health.since()));
  }
  status.connections = host.ready;
  status.in_flight = pool.InFlightOn(index);
  status.ok = host.counts.statements - host.counts.failures;
  status.failed = host.counts.failures;
  status.connects = host.counts.connects;
  status.connect_failures = host.counts.connect_failures;
  status.latency = host.latency;
  return status;
}

PlanKind KindOf(pgsql::StatementForm form) {
  switch (form) {
    case pgsql::StatementForm::kText:
      return PlanKind::kText;
    case pgsql::StatementForm::kParameterized:
      return PlanKind::kParameterized;
    case pgsql::StatementForm::kPrepared:
      return PlanKind::kPrepared;
  }
  return PlanKind::kNone;
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

std::string WhyText(const pgsql::StatementPlan& plan) {
  if (plan.refused()) return "the server refused it with parameters; the log has its words";
  if (!plan.text_reason().empty()) return plan.text_reason();
  return "it failed less than a second ago";
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
  status.timeouts = counters.queue_timeouts + counters.statement_timeouts;
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

std::vector<TableStatus> CollectTables(const TableRegistry& tables, pgsql::Time now) {
  std::vector<TableStatus> all;
  for (const auto& [name, table] : tables.tables()) {
    TableStatus status;
    status.name = name;
    status.state = table->state;
    status.reason = table->reason;
    status.failed_in_a_row = table->failures.in_a_row();
    if (status.state == TableState::kOk && table->failures.failing()) {
      status.state = TableState::kFailing;
      status.reason = table->failures.error();
    }
    if (table->binding != nullptr) {
      status.pool = table->pool->name();
      const pgsql::StatementPlan& plan = table->binding->plan;
      status.plan = KindOf(plan.form(now));
      if (status.plan == PlanKind::kText) status.plan_reason = WhyText(plan);
      switch (table->binding->write_class) {
        case pgsql::WriteClass::kUnknown:
        case pgsql::WriteClass::kAsking:
          break;
        case pgsql::WriteClass::kReads:
          status.may_write = false;
          break;
        case pgsql::WriteClass::kMayWrite:
          status.may_write = true;
          break;
      }
    }
    const TableCounters& counters = table->counters;
    status.lookups = counters.lookups;
    status.found = counters.found;
    status.not_found = counters.not_found;
    status.retry = counters.retry;
    status.config = counters.config;
    status.coalesced = counters.coalesced;
    status.suppressed = counters.suppressed;
    status.latency = counters.latency;
    if (table->cache != nullptr) {
      status.cache = {counters.cache_hits,
                      counters.cache_misses,
                      table->cache->entries(),
                      table->cache->bytes(),
                      counters.cache_evictions + table->cache->evictions(),
                      counters.stale};
    }
    all.push_back(std::move(status));
  }
  return all;
}

RelayCounts CollectRelay(const Relay& relay, const StockPolicy& policy) {
  const RelayStatus status = relay.Status();
  const bool spawns = policy.mode == StockMode::kSpawn;
  RelayCounts counts;
  counts.mode = spawns ? RelayMode::kProcesses : RelayMode::kSocket;
  counts.limit = policy.processes;
  (spawns ? counts.processes : counts.connections) = static_cast<std::uint64_t>(status.processes);
  counts.busy = static_cast<std::uint64_t>(status.busy);
  counts.waiting = static_cast<std::uint64_t>(status.queued);
  counts.requests = status.requests;
  counts.failures = status.failures;
  counts.starts = status.starts;
  return counts;
}

std::uint64_t ResidentBytes() {
  // proc(5): the second number of statm is the resident set in pages.
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::vector<std::string> TableFaults(const TableRegistry& tables) {
  std::vector<std::string> faults;
  for (const auto& [name, table] : tables.tables()) {
    const TableFailures& failures = table->failures;
    if (!failures.failing()) continue;
    faults.push_back("table " + name + ": its last " + std::to_string(failures.in_a_row()) +
                     " lookups all failed: " + failures.error());
  }
  return faults;
}

std::vector<std::string> PoolFaults(const pgsql::PgPools& pools) {
  std::vector<std::string> faults;
  for (const auto& pool : pools.All()) {
    const pgsql::HostSet& hosts = pool->hosts();
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
      faults.push_back("pool " + pool->name() + ": host " + hosts[i].label +
                       " is down: " + hosts[i].health.reason());
    }
  }
  return faults;
}

}  // namespace proxymux::proxy
