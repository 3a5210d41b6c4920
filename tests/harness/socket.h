// Blocking sockets with a time limit on every step, as tests want them: what fails says so and
// nothing hangs.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string>

#include "tests/harness/deadline.h"

namespace proxymux::harness {

// Owns a connected stream socket.
class Socket {
 public:
  // Throws std::runtime_error when nobody listens there.
  static Socket ConnectUnix(const std::string& path);
  static Socket ConnectTcp(int port);  // 127.0.0.1
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { Close(); }

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close();
  void ShutdownWrite();

  // False when the peer is gone or does not take the bytes in time.
  bool Send(const std::string& bytes, milliseconds limit = seconds(20));
  // A UNIX peer that closes with our bytes unread resets the connection; one that has read them all
  // ends it.
  enum class Received { kBytes, kEnd, kReset, kTimeout };
  // Appends one read(2)'s worth to `bytes`.
  Received Receive(std::string& bytes, milliseconds limit = seconds(20));

 private:
  int fd_;
};

// All that follow throw std::runtime_error when it cannot be done.

sockaddr_un UnixAddress(const std::string& path);

// A listening UNIX socket, mode 0666; replaces what has that name.
int ListenUnix(const std::string& path);
// A UNIX socket that is sent datagrams, as syslog's is. Reading it does not block.
int BindDatagrams(const std::string& path);
// On 127.0.0.1; port 0: a free one, as FreePort() finds it.
int ListenTcp(int port = 0, int backlog = 128);
int PortOf(int fd);
// A port of 127.0.0.1 that nobody listened on a moment ago, and that stays free while a server is
// away: the kernel gives it to no connection.
int FreePort();
// Whether this machine has the loopback address of IPv6.
bool CanListenOnIpv6();

}  // namespace proxymux::harness
