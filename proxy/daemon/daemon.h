// The service: builds everything and runs the loop. One code path for master(8) and for standalone.
//
// DaemonSettings is what it goes by, DaemonParts what runs; Reloader, Drain, Housekeeping and
// ControlCommands change that while it runs, MasterLink and AdminDoor are its ways to master and to
// the administrator.
//
// Order at the start: read main.cf and proxymux.yaml and the table files with the privileges that
// we were given, then drop them, then serve. What can be survived is survived: master throttles a
// service that ends with an error.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/daemon/admin_door.h"
#include "proxy/daemon/control_commands.h"
#include "proxy/daemon/daemon_options.h"
#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/daemon/drain.h"
#include "proxy/daemon/housekeeping.h"
#include "proxy/daemon/master_link.h"
#include "proxy/daemon/program_versions.h"
#include "proxy/daemon/reloader.h"
#include "proxy/log/log.h"
#include "proxy/process/program_file.h"
#include "proxy/process/service_notify.h"
#include "proxy/status/recent_rates.h"
#include "proxy/status/status.h"
#include "proxy/uv/uv_handles.h"

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
  bool Configure();
  void LogPostfixProblems();
  void LimitClients();
  bool GiveUpPrivileges();
  void BuildTables();
  void BuildControl();
  void BuildRelay();
  bool StartListening();
  void WatchSignals();
  void BeginDrain(const std::string& why);
  ReloadReport Reload(std::string_view who);
  ServiceStatus Snapshot() const;  // without what was done lately
  ServiceStatus SnapshotWithRates() const;
  void SampleRates();

  DaemonSettings settings_;
  Logger* const logger_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  const ProgramVersions versions_ = LibraryVersions();
  const ProgramFile program_ = ProgramFile::Running();
  const ServiceNotify service_manager_ = ServiceNotify::FromEnvironment();

  // In the order of their dependence: the last is destroyed first.
  DaemonParts parts_;
  Reloader reloader_;
  Drain drain_;
  MasterLink master_;
  std::optional<ControlCommands> control_;
  RecentRates rates_;
  std::unique_ptr<AdminDoor> admin_;
  std::optional<Housekeeping> housekeeping_;
  UvSignal on_term_;
  UvSignal on_int_;
  UvSignal on_hup_;
};

}  // namespace proxymux::proxy
