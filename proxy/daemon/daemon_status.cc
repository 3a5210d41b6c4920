// What the daemon says about itself.
#include <unistd.h>

#include "proxy/daemon/daemon.h"
#include "proxy/daemon/relay_setup.h"
#include "proxy/daemon/status_collector.h"
#include "proxy/status/version.h"

namespace proxymux::proxy {

std::vector<std::string> Daemon::Degraded() const {
  std::vector<std::string> reasons;
  for (const config::Diagnostic& diagnostic : config_->loaded().diagnostics) {
    if (diagnostic.severity == config::Severity::kError) reasons.push_back(diagnostic.ToString());
  }
  if (postfix_.used_fallback) reasons.push_back("postconf failed; main.cf was read without it");
  for (std::string& fault : tables_->Faults()) reasons.push_back(std::move(fault));
  for (std::string& fault : TableFaults(*registry_)) reasons.push_back(std::move(fault));
  if (!admin_fault_.empty()) reasons.push_back(admin_fault_);
  if (admin_ != nullptr && !admin_->Problem().empty()) reasons.push_back(admin_->Problem());
  for (std::string& fault : PoolFaults(*pools_)) reasons.push_back(std::move(fault));
  return reasons;
}

ServiceStatus Daemon::Snapshot() {
  const RouterCounters& counters = router_->counters();
  const SessionTraffic& traffic = clients_->traffic();
  ServiceStatus status;
  status.version = kVersion;
  status.pid = getpid();
  status.service = options_.service_name;
  status.config_directory = options_.config_directory;
  status.mode = options_.mode;
  status.started = started_;
  status.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now() - started_);
  status.generation = options_.generation;
  status.state = state_ == State::kServing ? ServiceState::kServing : ServiceState::kDraining;
  status.degraded = Degraded();
  status.clients.now = clients_->now();
  status.clients.accepted = clients_->accepted();
  status.clients.limit = clients_->limit();
  status.clients.closed_for_size = traffic.closed_for_size;
  status.requests = counters.requests;
  status.replies = counters.replies;
  status.malformed = counters.malformed;
  status.coalesced = counters.coalesced;
  status.bytes_read = traffic.bytes_read;
  status.bytes_written = traffic.bytes_written;
  status.reloads = reloads_;
  status.reload_failures = reload_failures_;
  status.log_lines_dropped = logger_->dropped();
  status.away = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.away());
  status.resident_bytes = ResidentBytes();
  status.relay = CollectRelay(
      *relay_, MakeRelayOptions(relay_mode_, options_, postfix_, config_->server()).policy);
  status.pools = CollectPools(*pools_, loop_.Now());
  status.tables = CollectTables(*registry_, loop_.Now());
  return status;
}

}  // namespace proxymux::proxy
