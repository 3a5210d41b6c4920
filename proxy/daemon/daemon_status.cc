#include "proxy/daemon/daemon_status.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "proxy/daemon/pool_collector.h"
#include "proxy/daemon/status_collector.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {
namespace {

std::vector<std::string> Degraded(const DaemonSettings& settings, const DaemonParts& parts,
                                  const std::string& admin_fault) {
  std::vector<std::string> reasons;
  for (const config::Diagnostic& diagnostic : settings.config()->loaded().diagnostics) {
    if (diagnostic.severity == config::Severity::kError) reasons.push_back(diagnostic.ToString());
  }
  if (settings.postfix().used_fallback) {
    reasons.push_back("postconf failed; main.cf was read without it");
  }
  for (std::string& fault : parts.tables->Faults()) reasons.push_back(std::move(fault));
  for (std::string& fault : TableFaults(*parts.registry)) reasons.push_back(std::move(fault));
  if (!admin_fault.empty()) reasons.push_back(admin_fault);
  for (std::string& fault : PoolFaults(*parts.pools)) reasons.push_back(std::move(fault));
  return reasons;
}

std::chrono::milliseconds InMilliseconds(auto duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

ServiceStatus MakeDaemonStatus(const DaemonSettings& settings, const DaemonParts& parts,
                               const DaemonFacts& facts) {
  const DaemonOptions& options = settings.options();
  const RouterCounters counters = parts.router->counters();
  const SessionTraffic& traffic = parts.clients->traffic();
  ServiceStatus status;
  status.process.version = kVersion;
  status.process.versions = facts.versions;
  status.process.versions.postfix = settings.postfix().mail_version.ToString();
  status.process.program_file = facts.program_file;
  status.process.pid = getpid();
  status.process.service = options.service_name;
  status.process.config_directory = options.config_directory;
  status.process.mode = options.mode;
  status.process.started = facts.started;
  status.process.uptime = InMilliseconds(std::chrono::system_clock::now() - facts.started);
  status.process.generation = options.generation;
  status.state = facts.draining ? ServiceState::kDraining : ServiceState::kServing;
  status.degraded = Degraded(settings, parts, facts.admin_fault);
  status.clients.now = parts.clients->now();
  status.clients.accepted = parts.clients->accepted();
  status.clients.limit = parts.clients->limit();
  status.clients.closed_for_size = traffic.closed_for_size;
  status.requests = counters.requests;
  status.replies = counters.replies;
  status.malformed = counters.malformed;
  status.coalesced = counters.coalesced;
  status.bytes_read = traffic.bytes_read;
  status.bytes_written = traffic.bytes_written;
  status.reloads = facts.reloads;
  status.reload_failures = facts.reload_failures;
  status.process.log_lines_dropped = facts.log_lines_dropped;
  status.process.away = InMilliseconds(parts.loop.away());
  status.process.resident_bytes = ResidentBytes();
  status.process.loop_busy =
      std::chrono::duration_cast<std::chrono::microseconds>(parts.loop.busy());
  FillInTimes(&status.process);
  status.relay = CollectRelay(*parts.relay, settings.ForRelay().policy);
  status.relay.tables = parts.router->relayed().All();
  status.pools = CollectPools(*parts.pools, parts.loop);
  status.tables = CollectTables(*parts.registry, parts.loop);
  status.slow = parts.router->lookups().slow().Latest(parts.loop.RealNow());
  return status;
}

}  // namespace proxymux::proxy
