// The end of the service: no new client is taken, each session ends when it has answered what it
// read, and what is left after drain_timeout is answered RETRY. Then the relay and the daemons of
// domain lists are stopped, and with the last of them the loop.
#pragma once

#include <string>

#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/daemon_settings.h"
#include "proxy/log/log.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class Drain {
 public:
  // All must outlive it.
  Drain(DaemonSettings* settings, DaemonParts* parts, Logger* logger)
      : settings_(settings), parts_(parts), logger_(logger) {}
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // The service runs. Does nothing when it has begun.
  void Begin(const std::string& why);
  // Nobody is to be waited for any more. Does nothing when it has been called.
  void Stop();

  bool begun() const { return state_ != State::kServing; }

 private:
  enum class State { kServing, kDraining, kStopped };

  void SetState(State state) { state_ = state; }
  void GiveUpWaiting();

  DaemonSettings* const settings_;
  DaemonParts* const parts_;
  Logger* const logger_;
  State state_ = State::kServing;
  UvTimer timer_;
};

}  // namespace proxymux::proxy
