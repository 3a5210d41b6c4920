// HTTP for the administrator: /metrics, /healthz and /status.json, and the commands of /control/
// (control.h), on a thread of its own that never touches the event loop's data.
//
// A request asks for a snapshot through the injected function, which must return within the limit
// it is given, and returns nothing when the loop did not answer in that time: this request and
// those behind it then get 503. /healthz is 200 "ok", or 200 "degraded" with one reason per line
// (503 when asked as /healthz?strict), or 503 "draining". A command is handed to another injected
// function, when it comes from root or from our own user over a UNIX socket; all others get 403 or
// 405.
//
// What a client may cost is bounded (admin_http.h). A listener that cannot be had is no reason to
// stop: Problem() says why, the log says it once, and it is tried again every second. Stop() ends
// every exchange at once, except that it waits for an injected function that is running, and sends
// its answer: when it is called on the event loop's thread, let both return nothing first.
//
// Every answer to a request that is well-formed carries the header `X-Proxymux-Service: NAME`, by
// which a successor knows its predecessor (see admin_socket).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/admin/admin_address.h"
#include "proxy/admin/control.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

class Logger;

class AdminServer {
 public:
  using SnapshotFunction = std::function<std::optional<ServiceStatus>(std::chrono::milliseconds)>;
  struct Functions {
    SnapshotFunction snapshot;
    ControlFunction control;
  };

  static constexpr std::chrono::milliseconds kLoopLimit{2000};  // of both functions

  // `logger` must outlive the server. Call after privileges were dropped: the socket belongs to the
  // one who serves.
  AdminServer(AdminAddress address, std::string service_name, Functions functions, Logger* logger);
  ~AdminServer();  // stops
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Tries to listen once before it returns. Does nothing when the address is "off". The thread
  // starts here, so not before a fork.
  void Start();
  void Stop();

  bool listening() const;
  // Why there is no listener, for the list of reasons why the service is degraded; empty when all
  // is well.
  std::string Problem() const;
  // Where it listens, with the real port.
  AdminAddress address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxymux::proxy
