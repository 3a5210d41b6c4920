#include "tests/harness/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>

namespace proxymux::harness {
namespace {

Socket Connect(int family, const sockaddr* address, socklen_t length, const std::string& name) {
  Socket socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.open() || ::connect(socket.fd(), address, length) != 0) {
    throw std::runtime_error("cannot connect to " + name + ": " + std::strerror(errno));
  }
  return socket;
}

sockaddr_in LoopbackAddress(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool Bind(int fd, int port) {
  const sockaddr_in address = LoopbackAddress(port);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

// Below 32768, where the ports of connections begin (ip_local_port_range, ip(7)).
bool BindToAny(int fd) {
  constexpr int kFirst = 10000, kLast = 32767, kTries = 1000;
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int> ports(kFirst, kLast);
  for (int tries = 0; tries < kTries; ++tries) {
    if (Bind(fd, ports(random))) return true;
  }
  return false;
}

}  // namespace

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    throw std::runtime_error("socket name too long: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Socket Socket::ConnectUnix(const std::string& path) {
  const sockaddr_un address = UnixAddress(path);
  return Connect(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address), path);
}

Socket Socket::ConnectTcp(int port) {
  const sockaddr_in address = LoopbackAddress(port);
  return Connect(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address),
                 "127.0.0.1:" + std::to_string(port));
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Socket::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Socket::ShutdownWrite() { ::shutdown(fd_, SHUT_WR); }

bool Socket::Send(const std::string& bytes, milliseconds limit) {
  const Deadline deadline(limit);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count =
        ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    pollfd wait{fd_, POLLOUT, 0};
    if (::poll(&wait, 1, deadline.Left()) == 0) return false;
  }
  return true;
}

Socket::Received Socket::Receive(std::string& bytes, milliseconds limit) {
  const Deadline deadline(limit);
  while (true) {
    pollfd wait{fd_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, deadline.Left());
    if (ready == 0) return Received::kTimeout;
    char buffer[65536];
    const ssize_t count = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count > 0) {
      bytes.append(buffer, static_cast<std::size_t>(count));
      return Received::kBytes;
    }
    if (count == 0) return Received::kEnd;
    if (errno != EINTR && errno != EAGAIN) return Received::kReset;
  }
}

int ListenUnix(const std::string& path) {
  const sockaddr_un address = UnixAddress(path);
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::chmod(path.c_str(), 0666) != 0 || ::listen(fd, 128) != 0) {
    throw std::runtime_error("cannot listen on " + path + ": " + std::strerror(errno));
  }
  return fd;
}

int BindDatagrams(const std::string& path) {
  const sockaddr_un address = UnixAddress(path);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot bind " + path + ": " + std::strerror(errno));
  }
  return fd;
}

int ListenTcp(int port, int backlog) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // For a port that this program has had before.
  const int yes = port != 0 ? 1 : 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (fd < 0 || !(port != 0 ? Bind(fd, port) : BindToAny(fd)) || ::listen(fd, backlog) != 0) {
    throw std::runtime_error("cannot listen on port " + std::to_string(port) + ": " +
                             std::strerror(errno));
  }
  return fd;
}

int FreePort() {
  const int fd = ListenTcp();
  const int port = PortOf(fd);
  ::close(fd);
  return port;
}

int PortOf(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error(std::string("no port: ") + std::strerror(errno));
  }
  return ntohs(address.sin_port);
}

bool CanListenOnIpv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool can =
      fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (fd >= 0) ::close(fd);
  return can;
}

}  // namespace proxymux::harness
