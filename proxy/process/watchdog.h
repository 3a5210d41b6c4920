// Ends a process that is stuck: unless Rearm() is called in time, SIGALRM arrives with its default
// action. main.cf's daemon_timeout (18000 s) is the limit under master. One per process (it owns
// the real-time interval timer), re-armed by the event loop; forked children do not inherit it.
#pragma once

#include <chrono>

namespace proxymux::proxy {

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  // Restores the default action of SIGALRM, unblocks it in the calling thread, and arms. `limit` at
  // least one second.
  Watchdog(std::chrono::seconds limit, Clock::time_point now);
  ~Watchdog();  // disarms
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Cheap enough for every turn of the loop: the kernel is asked only after a tenth of the limit
  // has passed.
  void Rearm(Clock::time_point now);

 private:
  void Arm();

  std::chrono::seconds limit_;
  Clock::time_point armed_at_;
};

}  // namespace proxymux::proxy
