// What is done once a second: the watchdog, a line when the process was not run for a while, the
// counts of lines that were held back, letting go of pools and domain tables that nobody names any
// more, and what the daemon has to do as often.
#pragma once

#include <chrono>
#include <functional>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/master_link.h"
#include "proxy/process/watchdog.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class Housekeeping {
 public:
  // All must outlive it. `daemon_timeout`: as Postfix's daemons, which end when they are stuck.
  Housekeeping(DaemonParts* parts, MasterLink* master, std::chrono::seconds daemon_timeout,
               std::function<void()> as_often);
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  void Run();
  void TellAbsence();

  DaemonParts* const parts_;
  MasterLink* const master_;
  const std::function<void()> as_often_;
  Watchdog watchdog_;
  pgsql::Duration away_{};  // the loop's away() when it was looked at last
  UvTimer timer_;
};

}  // namespace proxymux::proxy
