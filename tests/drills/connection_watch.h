// The most TCP connections that led to some ports of 127.0.0.1 at one time: the kernel's table,
// read every 10 ms on a thread of its own. So it also counts when the servers are frozen or gone,
// and costs no session there. Counted is the client's end, until the client closes it.
//
// The kernel does not write the table down at one moment, and one connection may have ended before
// another began. Those that two readings in a row have were all there in between; others do not
// count, such as cancel requests, which are over at once.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

namespace proxymux::drills {

class ConnectionWatch {
 public:
  explicit ConnectionWatch(std::vector<int> ports);
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

  int most() const { return most_; }

 private:
  void Watch();

  const std::vector<int> ports_;
  std::atomic<bool> ends_ = false;
  std::atomic<int> most_ = 0;
  std::thread thread_;
};

}  // namespace proxymux::drills
