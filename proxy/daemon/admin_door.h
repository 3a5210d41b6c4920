// What the administrator asks over HTTP, as the daemon has it: the server on its own thread, and
// its calls into the loop. Without a usable admin.listen there is no server, and a fault.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/admin/admin_server.h"
#include "proxy/admin/control.h"
#include "proxy/admin/loop_calls.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/log/log.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {

class AdminDoor {
 public:
  // Both run on the loop.
  struct Functions {
    std::function<ServiceStatus()> snapshot;
    std::function<ControlReply(const ControlRequest&)> control;
  };

  // The loop and the log must outlive it.
  AdminDoor(UvEventLoop* loop, const DaemonSettings& settings, Functions functions, Logger* logger);
  ~AdminDoor();
  AdminDoor(const AdminDoor&) = delete;
  AdminDoor& operator=(const AdminDoor&) = delete;

  // Why nobody can ask; empty when all is well.
  std::string Fault() const;

 private:
  AdminServer::Functions ForServer();

  const Functions functions_;
  LoopCalls calls_;
  std::unique_ptr<AdminServer> server_;
  std::string fault_;  // why there is no server_, when the setting is to blame
};

}  // namespace proxymux::proxy
