// What is done once a second: the watchdog, a line when the process was not run for a while, the
// counts of lines that were held back, and letting go of pools and domain tables that nobody names
// any more.
#pragma once

#include <chrono>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/master_link.h"
#include "proxy/process/watchdog.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class Housekeeping {
 public:
  // All must outlive it. `daemon_timeout`: as Postfix's daemons, which end when they are stuck.
  Housekeeping(DaemonParts* parts, MasterLink* master, std::chrono::seconds daemon_timeout);
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  void Run();
  void TellAbsence();

  DaemonParts* const parts_;
  MasterLink* const master_;
  Watchdog watchdog_;
  pgsql::Duration away_{};  // the loop's away() when it was looked at last
  UvTimer timer_;
};

}  // namespace proxymux::proxy
