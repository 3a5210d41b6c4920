// What the administrator asks over HTTP, as the daemon has it: the server on its own thread, and
// the exchange by which that gets what the process says of itself. Without a usable admin.listen
// there is no server, and a fault.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/snapshot_exchange.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/log/log.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

class AdminDoor {
 public:
  // The loop and the log must outlive it. `snapshot` runs on the loop.
  AdminDoor(UvEventLoop* loop, const DaemonSettings& settings,
            std::function<ServiceStatus()> snapshot, Logger* logger);
  ~AdminDoor();
  AdminDoor(const AdminDoor&) = delete;
  AdminDoor& operator=(const AdminDoor&) = delete;

  // Why nobody can ask; empty when all is well.
  std::string Fault() const;

 private:
  SnapshotExchange snapshots_;
  std::unique_ptr<AdminServer> server_;
  std::string fault_;  // why there is no server_, when the setting is to blame
};

}  // namespace proxymux::proxy
