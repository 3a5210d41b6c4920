// One connection through a gate (tcp_gate.h): a client, the server behind it, and what is on its
// way between them.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "tests/harness/server_messages.h"
#include "tests/harness/socket.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::harness {

inline constexpr int kNoDescriptor = -1;

struct TcpGate::Connection {
  struct Chunk {
    Time due;
    std::string bytes;
  };

  explicit Connection(int fd) : client(fd), server(kNoDescriptor) {}

  Socket client;
  Socket server;  // not connected while it is ignored
  std::string to_server;
  std::deque<Chunk> to_client;
  std::size_t waiting = 0;    // bytes in to_client
  std::optional<Stop> stop;   // set, not met yet
  std::optional<Ending> cut;  // asked for
  bool silent = false;
  bool half_closed = false;
  bool noise = false;
  ServerMessages messages;
};

}  // namespace proxymux::harness
