// A timer that goes by nanoseconds: libuv's own go by milliseconds, and lookups sent in bursts, one
// each millisecond, measure the bursts.
#pragma once

#include <cstdint>
#include <functional>

#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class UvBenchAlarm {
 public:
  UvBenchAlarm(uv_loop_t* loop, std::function<void()> on_time);
  ~UvBenchAlarm() { Close(); }
  UvBenchAlarm(const UvBenchAlarm&) = delete;
  UvBenchAlarm& operator=(const UvBenchAlarm&) = delete;

  // At that time of uv_hrtime(), or at once when it has passed. One at a time: a later call
  // replaces the earlier one. Costs one system call, none when the time is the same as before.
  void Set(std::int64_t at);
  void Close();

 private:
  int fd_;
  UvPoll poll_;
  std::int64_t set_ = 0;  // 0: not set
};

}  // namespace proxymux::proxy
