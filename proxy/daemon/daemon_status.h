// What the daemon says of itself: a snapshot for metrics, document and page.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

// What neither the settings nor the parts know.
struct DaemonFacts {
  std::chrono::system_clock::time_point started;
  ProgramVersions versions;
  std::string program_file;  // as ProgramFile says it
  bool draining = false;
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;
  std::uint64_t log_lines_dropped = 0;
  std::string admin_fault;  // empty: none
};

// The service runs. On the loop's thread.
ServiceStatus MakeDaemonStatus(const DaemonSettings& settings, const DaemonParts& parts,
                               const DaemonFacts& facts);

}  // namespace proxymux::proxy
