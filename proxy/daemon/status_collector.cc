#include "proxy/daemon/status_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

namespace proxymux::proxy {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

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

std::string WhyText(const pgsql::StatementPlan& plan) {
  if (plan.refused()) return "the server refused it with parameters; the log has its words";
  if (!plan.text_reason().empty()) return plan.text_reason();
  return "it failed less than a second ago";
}

}  // namespace

std::vector<TableStatus> CollectTables(const TableRegistry& tables, const pgsql::EventLoop& loop) {
  std::vector<TableStatus> all;
  for (const auto& [name, table] : tables.tables()) {
    TableStatus status;
    status.name = name;
    status.state = table->state;
    status.reason = table->reason;
    status.failed_in_a_row = table->failures.in_a_row();
    const TableFailures& failures = table->failures;
    if (failures.failing()) {
      if (status.state == TableState::kOk) status.state = TableState::kFailing;
      if (!status.reason.empty()) status.reason += "; its last lookups all failed: ";
      status.reason += failures.error();
    }
    if (const auto failed_at = failures.failed_at()) {
      status.last_failure = {failures.error(),
                             duration_cast<milliseconds>(loop.RealNow() - *failed_at)};
    }
    if (table->binding != nullptr) {
      status.pool = table->pool->name();
      const pgsql::StatementPlan& plan = table->binding->plan;
      status.plan = KindOf(plan.form(loop.Now()));
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
    status.slow = counters.slow;
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

void FillInTimes(ProcessStatus* status) {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return;
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + microseconds(time.tv_usec);
  };
  status->cpu_user = of(usage.ru_utime);
  status->cpu_system = of(usage.ru_stime);
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

}  // namespace proxymux::proxy
