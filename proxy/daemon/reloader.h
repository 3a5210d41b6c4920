// SIGHUP, and `proxymux ctl reload`: proxymux.yaml and all table files are read again. When
// proxymux.yaml has errors, or was there and is gone, nothing changes. Owns the counts of that.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/log/log.h"

namespace proxymux::proxy {

// For whoever asked for it.
struct ReloadReport {
  bool done = false;               // false: nothing has changed
  std::vector<std::string> lines;  // what is wrong with the files, and what has changed
  bool as_written = false;         // proxymux.yaml and every table are in force as their files say
};

class Reloader {
 public:
  // All must outlive it.
  Reloader(DaemonSettings* settings, DaemonParts* parts, Logger* logger)
      : settings_(settings), parts_(parts), logger_(logger) {}

  // The service runs. `who` wants it: "SIGHUP".
  ReloadReport Reload(std::string_view who);

  // Also at the start: what is wrong with proxymux.yaml, and what in it is meant for nobody.
  void LogProblems(const ServiceConfig& config);
  std::vector<std::string> LogUnusedSections();  // the lines

  std::uint64_t reloads() const { return reloads_; }
  std::uint64_t failures() const { return failures_; }

 private:
  std::set<std::string> PoolsInUse() const;

  DaemonSettings* const settings_;
  DaemonParts* const parts_;
  Logger* const logger_;
  std::uint64_t reloads_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace proxymux::proxy
