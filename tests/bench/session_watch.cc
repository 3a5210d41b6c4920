#include "tests/bench/session_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tests/harness/process.h"
#include "tests/harness/temp_directory.h"

namespace proxymux::bench {

int CountSessions(const std::string& server_pid, const std::string& role) {
  int sessions = 0;
  for (const auto& child : harness::ChildrenOf(static_cast<pid_t>(std::stol(server_pid)))) {
    const std::string title = harness::ReadFile("/proc/" + std::to_string(child.pid) + "/cmdline");
    if (title.find(": " + role + " ") != std::string::npos) ++sessions;
  }
  return sessions;
}

SessionWatch::SessionWatch(std::string server_pid, std::string role)
    : server_pid_(std::move(server_pid)), role_(std::move(role)), thread_([this] { Watch(); }) {}

SessionWatch::~SessionWatch() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

int SessionWatch::Most() {
  const std::lock_guard lock(mutex_);
  return most_;
}

void SessionWatch::Watch() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    lock.unlock();
    const int sessions = CountSessions(server_pid_, role_);
    lock.lock();
    most_ = std::max(most_, sessions);
    changed_.wait_for(lock, std::chrono::milliseconds(200), [this] { return ends_; });
  }
}

}  // namespace proxymux::bench
