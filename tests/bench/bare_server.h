// A service that answers every lookup at once with the same value and does nothing else: what its
// clients see is what their sockets and the load generator cost.
//
// A thread of its own. Throws std::runtime_error when it cannot listen.
#pragma once

#include <string>
#include <thread>

#include "tests/harness/socket.h"

namespace proxymux::bench {

class BareServer {
 public:
  // Listens on a UNIX socket of that name. Its clients send one request at a time, in the dialect
  // of Postfix before 3.11.
  explicit BareServer(const std::string& path);
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

 private:
  void Run();

  harness::Socket listener_;
  harness::Socket wake_;  // eventfd(2): written to at the end
  std::thread thread_;
};

}  // namespace proxymux::bench
