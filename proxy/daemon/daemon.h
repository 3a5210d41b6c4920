// The service: builds everything, runs the loop, reloads, drains, ends. One code path for master(8)
// and for standalone.
//
// Order at the start: read main.cf and proxymux.yaml and the table files with the privileges that
// we were given, then drop them, then serve. What can be survived is survived: master throttles a
// service that ends with an error.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pgsql/libpq/pg_pools.h"
#include "proxy/admin/admin_server.h"
#include "proxy/admin/snapshot_exchange.h"
#include "proxy/clients/uv_clients.h"
#include "proxy/daemon/daemon_options.h"
#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/log/pool_log.h"
#include "proxy/process/master_service.h"
#include "proxy/process/postfix_settings.h"
#include "proxy/process/watchdog.h"
#include "proxy/relay/domain_tables.h"
#include "proxy/relay/relay_log.h"
#include "proxy/relay/uv_relay.h"
#include "proxy/requests/coalescer.h"
#include "proxy/requests/request_router.h"
#include "proxy/tables/table_loader.h"
#include "proxy/tables/table_registry.h"
#include "proxy/tables/table_service.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

// Holds back the signals that a Daemon handles until it is ready for them. To be called before
// anything else: a SIGHUP at the start would end the process, and master would throttle the
// service.
void BlockDaemonSignals();

class Daemon {
 public:
  Daemon(DaemonOptions options, Logger* logger);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Serves until told to end. The exit status.
  int Run();

 private:
  enum class State { kStarting, kServing, kDraining, kStopped };

  bool Configure();
  void ReadServiceConfig();
  void RetargetLog();
  UvClients::Limits ClientLimits() const;
  bool GiveUpPrivileges();
  void BuildRelay();
  bool StartListening();
  void WatchSignals();
  void WatchMaster();
  void ReportServed();
  void Housekeeping();

  void Reload();
  void LogConfigProblems(const config::LoadedConfig& loaded);
  void LogUnusedSections();
  void SetState(State state);
  void Drain(const std::string& why);
  void GiveUpWaiting();
  void Stop();

  ServiceStatus Snapshot();
  std::vector<std::string> Degraded() const;

  DaemonOptions options_;
  Logger* const logger_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  State state_ = State::kStarting;

  PostfixSettings postfix_;
  std::shared_ptr<const ServiceConfig> config_;
  StockMode relay_mode_ = StockMode::kService;
  std::size_t most_clients_ = 0;  // for the descriptors that there are
  std::uint64_t reloads_ = 0;
  std::uint64_t reload_failures_ = 0;
  pgsql::Duration away_{};  // the loop's away() at the last housekeeping

  // In the order of their dependence: the last is destroyed first.
  UvEventLoop loop_;
  MessageLog log_;
  PoolLog pool_log_;
  std::unique_ptr<pgsql::PgPools> pools_;
  std::unique_ptr<TableLoader> loader_;
  std::unique_ptr<TableRegistry> registry_;
  std::unique_ptr<TableService> tables_;
  RelayLog relay_log_;
  std::unique_ptr<UvRelay> relay_;
  std::unique_ptr<DomainTables> domain_tables_;
  Coalescer coalescer_{&loop_};
  std::unique_ptr<RequestRouter> router_;
  std::unique_ptr<UvClients> clients_;
  std::unique_ptr<SnapshotExchange> snapshots_;
  std::unique_ptr<AdminServer> admin_;
  std::string admin_fault_;  // why there is no admin_, when the setting is to blame
  std::unique_ptr<MasterStatus> master_status_;
  std::optional<Watchdog> watchdog_;
  UvPoll master_watch_;
  UvSignal on_term_;
  UvSignal on_int_;
  UvSignal on_hup_;
  UvTimer housekeeping_;
  UvTimer drain_timer_;
};

}  // namespace proxymux::proxy
