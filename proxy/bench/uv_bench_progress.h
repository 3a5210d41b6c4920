// A line of progress each second of a run, from its warm-up on.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class UvBenchProgress {
 public:
  // The line, from the seconds since the run began and since the line before.
  using Line = std::function<std::string(double at_seconds, double interval_seconds)>;

  // `print` empty: nothing is done.
  explicit UvBenchProgress(std::function<void(const std::string& line)> print)
      : print_(std::move(print)) {}

  void Begin(uv_loop_t* loop, Line line);
  void Close() { timer_.Close(); }

 private:
  void Print();

  const std::function<void(const std::string& line)> print_;
  Line line_;
  std::int64_t began_ = 0;  // uv_hrtime()
  std::int64_t printed_ = 0;
  UvTimer timer_;
};

}  // namespace proxymux::proxy
