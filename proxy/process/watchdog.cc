#include "proxy/process/watchdog.h"

#include <signal.h>
#include <sys/time.h>

#include <algorithm>

namespace proxymux::proxy {

Watchdog::Watchdog(std::chrono::seconds limit, Clock::time_point now)
    : limit_(std::max(limit, std::chrono::seconds(1))), armed_at_(now) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  Arm();
}

Watchdog::~Watchdog() {
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
}

void Watchdog::Rearm(Clock::time_point now) {
  if (now - armed_at_ < std::chrono::duration_cast<Clock::duration>(limit_) / 10) return;
  armed_at_ = now;
  Arm();
}

void Watchdog::Arm() {
  itimerval once{};
  once.it_value.tv_sec = limit_.count();
  setitimer(ITIMER_REAL, &once, nullptr);
}

}  // namespace proxymux::proxy
