// Everybody who talks to us: the listening sockets and the sessions, and the bound on their number.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/clients/uv_client_session.h"
#include "proxy/log/message_log.h"
#include "proxy/requests/request_router.h"
#include "proxy/uv/uv_event_loop.h"
#include "proxy/uv/uv_listener.h"

namespace proxymux::proxy {

class UvClients {
 public:
  struct Limits {
    std::size_t clients;
    std::size_t max_request;
    bool greeting;
  };

  // `on_served`: clients were accepted and none waits (what master(8) wants to be told).
  UvClients(UvEventLoop* loop, RequestRouter* router, MessageLog* log, Limits limits,
            std::function<void()> on_served);
  ~UvClients();

  // Listens on `fd`, which it takes over. Error text, or empty.
  std::string Listen(int fd);
  // Serves one client on a connected socket, which it takes over.
  void Adopt(int fd) { OnAccept(fd); }

  // For new clients; `clients` for all.
  void SetLimits(Limits limits);

  // Accepts nobody any more; each session ends when it has answered what it read. `on_done` once,
  // when none is left.
  void Drain(std::function<void()> on_done);
  // `on_empty` once, when the last session has ended.
  void NotifyWhenEmpty(std::function<void()> on_empty) { on_drained_ = std::move(on_empty); }
  // Closes every connection, answered or not.
  void EndAll();

  std::size_t now() const { return sessions_.size(); }
  std::uint64_t accepted() const { return accepted_; }
  std::size_t limit() const { return limits_.clients; }
  const SessionTraffic& traffic() const { return traffic_; }

 private:
  void OnAccept(int fd);
  void OnSessionEnd(UvClientSession* session);
  void CheckLimit();
  void CheckDrained();
  std::vector<UvClientSession*> Sessions() const;

  UvEventLoop* const loop_;
  RequestRouter* const router_;
  MessageLog* const log_;
  Limits limits_;
  std::function<void()> on_served_;
  std::function<void()> on_drained_;
  std::vector<std::unique_ptr<UvListener>> listeners_;
  std::unordered_map<UvClientSession*, std::unique_ptr<UvClientSession>> sessions_;
  std::vector<std::unique_ptr<UvClientSession>> ended_;
  SessionTraffic traffic_;
  std::uint64_t accepted_ = 0;
  bool paused_ = false;
  UvTimer half_requests_;  // while draining
  std::shared_ptr<void> alive_ = std::make_shared<char>();
};

}  // namespace proxymux::proxy
