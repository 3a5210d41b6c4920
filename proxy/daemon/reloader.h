// SIGHUP: proxymux.yaml and all table files are read again. When proxymux.yaml has errors, or was
// there and is gone, nothing changes. Owns the counts of that.
#pragma once

#include <cstdint>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/log/log.h"

namespace proxymux::proxy {

class Reloader {
 public:
  // All must outlive it.
  Reloader(DaemonSettings* settings, DaemonParts* parts, Logger* logger)
      : settings_(settings), parts_(parts), logger_(logger) {}

  // The service runs.
  void Reload();

  // Also at the start: what is wrong with proxymux.yaml, and what in it is meant for nobody.
  void LogProblems(const ServiceConfig& config);
  void LogUnusedSections();

  std::uint64_t reloads() const { return reloads_; }
  std::uint64_t failures() const { return failures_; }

 private:
  DaemonSettings* const settings_;
  DaemonParts* const parts_;
  Logger* const logger_;
  std::uint64_t reloads_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace proxymux::proxy
