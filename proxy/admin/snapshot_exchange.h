// Lets other threads ask the loop's thread for a snapshot, and wait for it for a bounded time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "proxy/status/status.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class SnapshotExchange {
 public:
  // `make` runs on the loop's thread, once for all who ask at the same time.
  SnapshotExchange(uv_loop_t* loop, std::function<ServiceStatus()> make);
  // On the loop's thread, when nobody asks any more.
  ~SnapshotExchange();

  // From any thread but the loop's. Nothing when the loop did not get to it in time.
  std::optional<ServiceStatus> Ask(std::chrono::milliseconds limit);

  // Whoever asks from here on gets nothing, at once.
  void Close();

 private:
  void Make();

  std::function<ServiceStatus()> make_;
  UvAsync wake_;
  std::mutex mutex_;
  std::condition_variable made_;
  bool closed_ = false;
  std::uint64_t asked_ = 0;     // snapshots wanted
  std::uint64_t answered_ = 0;  // the number of the latest one
  ServiceStatus latest_;
};

}  // namespace proxymux::proxy
