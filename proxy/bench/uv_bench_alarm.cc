#include "proxy/bench/uv_bench_alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace proxymux::proxy {

UvBenchAlarm::UvBenchAlarm(uv_loop_t* loop, std::function<void()> on_time)
    // The clock of uv_hrtime().
    : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (fd_ < 0) return;
  poll_.Open(loop, fd_, [this, on_time = std::move(on_time)](int, int) {
    std::uint64_t expirations;
    if (read(fd_, &expirations, sizeof(expirations)) != sizeof(expirations)) return;
    set_ = 0;
    on_time();
  });
  poll_.SetEvents(UV_READABLE);
}

void UvBenchAlarm::Set(std::int64_t at) {
  at = std::max<std::int64_t>(at, 1);  // 0 would switch it off
  if (at == set_) return;
  set_ = at;
  itimerspec time{};
  time.it_value.tv_sec = at / 1'000'000'000;
  time.it_value.tv_nsec = at % 1'000'000'000;
  timerfd_settime(fd_, TFD_TIMER_ABSTIME, &time, nullptr);
}

void UvBenchAlarm::Close() {
  poll_.Close();
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace proxymux::proxy
