// A client of its own that tries all the time to sign on with a server that is away: it finds out
// when the server takes sessions again, and how long after that the lookups of a load are answered.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/harness/deadline.h"
#include "tests/harness/load_clients.h"

namespace proxymux::drills {

class SessionProbe {
 public:
  // The server on `port` of 127.0.0.1, or what stands before it, takes no sessions just now, and no
  // lookup of `load` is answered before it does. Begins to try; gives up after `limit`.
  SessionProbe(int port, const harness::LoadClients& load, harness::milliseconds limit);
  ~SessionProbe();
  SessionProbe(const SessionProbe&) = delete;
  SessionProbe& operator=(const SessionProbe&) = delete;

  // From the end of the first session that was taken, and answered a statement, to the first lookup
  // that was answered after that; `limit` when there was none. Waits for it.
  double MillisecondsToAnswer();
  // When that was; known by then.
  std::chrono::steady_clock::time_point first_session() const { return first_session_; }

 private:
  void Watch();

  const int port_;
  const harness::LoadClients& load_;
  const harness::Deadline limit_;
  double milliseconds_;
  std::chrono::steady_clock::time_point first_session_;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace proxymux::drills
