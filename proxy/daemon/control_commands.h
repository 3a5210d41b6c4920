// What `proxymux ctl` has the service do, as the event loop does it (control.h). Every command that
// changes something is a line in the log, too.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "proxy/admin/control.h"
#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/daemon/disabled_hosts.h"
#include "proxy/daemon/reloader.h"
#include "proxy/log/log.h"

namespace proxymux::proxy {

class ControlCommands {
 public:
  // What is not for the parts to do.
  struct Service {
    std::function<bool()> draining;
    std::function<ReloadReport()> reload;
    std::function<void()> drain;
  };

  // All must outlive it.
  ControlCommands(DaemonSettings* settings, DaemonParts* parts, Logger* logger, Service service,
                  std::string disabled_file);
  ControlCommands(const ControlCommands&) = delete;
  ControlCommands& operator=(const ControlCommands&) = delete;

  // Takes the hosts out of use that were so before. Once privileges are given up, before the first
  // lookup.
  void RestoreDisabledHosts();

  // On the loop's thread, while the service runs.
  ControlReply Do(const ControlRequest& request);

 private:
  struct Command;
  static const Command* Find(std::string_view name);

  ControlReply Reload(const ControlRequest& request);
  ControlReply Drain(const ControlRequest& request);
  ControlReply Disable(const ControlRequest& request);
  ControlReply Enable(const ControlRequest& request);
  ControlReply Reconnect(const ControlRequest& request);
  ControlReply Forget(const ControlRequest& request);
  ControlReply LogLevel(const ControlRequest& request);

  ControlReply NoSuchHost(std::string_view host) const;
  void ForgetKey(AnswerCache* cache, const std::string& key, std::size_t* forgotten) const;

  DaemonSettings* const settings_;
  DaemonParts* const parts_;
  Logger* const logger_;
  const Service service_;
  DisabledHosts disabled_;
};

}  // namespace proxymux::proxy
