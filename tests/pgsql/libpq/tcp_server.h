// Servers that a test plays itself, message by message.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "tests/harness/socket.h"
#include "tests/pgsql/libpq/pg_session.h"

namespace proxymux::pgsql {

// A server on a socket of the test's own.
class TcpServer {
 public:
  explicit TcpServer(int backlog = 8)
      : fd_(harness::ListenTcp(0, backlog)), port_(harness::PortOf(fd_)) {}
  ~TcpServer() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  // Accepts clients and serves them, one after the other, on a thread.
  void Serve(std::function<void(harness::Socket)> serve) {
    thread_ = std::thread([this, serve = std::move(serve)] {
      while (true) {
        const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        serve(harness::Socket(client));
      }
    });
  }
  ConnectPlan Plan() const { return PlanFor("127.0.0.1", std::to_string(port_), "u"); }
  int fd() const { return fd_; }
  int port() const { return port_; }

 private:
  const int fd_;
  const int port_;
  std::thread thread_;
};

// AuthenticationOk, ReadyForQuery (PostgreSQL, "Message Formats").
inline const std::string kWelcome("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", 15);

}  // namespace proxymux::pgsql
