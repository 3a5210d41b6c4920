// How many sessions a PostgreSQL server has for a role, the most at one time: looked up in /proc
// every 200 ms on a thread of its own, since a query would be a session more, and slow on a server
// that is full.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace proxymux::bench {

// Processes of the server whose title names the role, as `postgres: ROLE DATABASE ...` does.
int CountSessions(const std::string& server_pid, const std::string& role);

class SessionWatch {
 public:
  SessionWatch(std::string server_pid, std::string role);
  ~SessionWatch();
  SessionWatch(const SessionWatch&) = delete;
  SessionWatch& operator=(const SessionWatch&) = delete;

  int Most();

 private:
  void Watch();

  std::string server_pid_, role_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ends_ = false;  // under mutex_
  int most_ = 0;       // under mutex_
  std::thread thread_;
};

}  // namespace proxymux::bench
