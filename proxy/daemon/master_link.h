// The socket between us and master(8): we tell it that clients were served, and its end tells us
// that master reloads or is gone. Without one (standalone) all of it does nothing.
#pragma once

#include <functional>
#include <optional>

#include "proxy/log/log.h"
#include "proxy/log/message_log.h"
#include "proxy/process/master_service.h"
#include "proxy/uv/uv_event_loop.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class MasterLink {
 public:
  // `status_fd` below 0: there is none. The log must outlive it.
  MasterLink(int status_fd, unsigned generation, MessageLog* log);
  MasterLink(const MasterLink&) = delete;
  MasterLink& operator=(const MasterLink&) = delete;

  // Clients were accepted and none waits. Once; again when master could not take it.
  void ReportServed();

  // `on_end` once, when master closes its end.
  void Watch(UvEventLoop* loop, std::function<void()> on_end);

 private:
  void OnReadable();

  const int fd_;
  MessageLog* const log_;
  std::optional<MasterStatus> status_;
  std::function<void()> on_end_;
  UvPoll poll_;
};

}  // namespace proxymux::proxy
