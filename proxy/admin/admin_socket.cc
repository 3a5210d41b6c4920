#include "proxy/admin/admin_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "proxy/admin/admin_client.h"

namespace proxymux::proxy {
namespace {

constexpr int kListenQueue = 16;
constexpr mode_t kMode = 0660;
constexpr std::chrono::milliseconds kAskLimit{500};

AdminSocketError Failed(const AdminAddress& address, std::string_view what) {
  return {fmt::format("cannot listen on {}: {}", address.Text(), what)};
}

AdminSocketError FailedCall(const AdminAddress& address, const char* call) {
  return Failed(address, fmt::format("{}: {}", call, std::strerror(errno)));
}

// Why the name must stay with whom it belongs to now; nothing when we may have it.
std::optional<AdminSocketError> WhoHolds(const AdminAddress& address,
                                         std::string_view service_name) {
  struct stat status {};
  if (lstat(address.path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return FailedCall(address, "lstat");
  }
  if (!S_ISSOCK(status.st_mode)) return Failed(address, "a file of that name is no socket");

  const AdminSocketAddress name = NameOf(address);
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return FailedCall(address, "socket");
  const bool refused =
      connect(probe, name.get(), name.size) != 0 && (errno == ECONNREFUSED || errno == ENOENT);
  close(probe);
  if (refused) return std::nullopt;  // of a process that is gone

  const auto answer = AdminGet(address, "/", kAskLimit);
  const auto* reply = std::get_if<AdminReply>(&answer);
  if (reply == nullptr || reply->service.empty()) {
    return Failed(address, "another process listens there and does not say that it is proxymux");
  }
  if (reply->service != service_name) {
    return Failed(address, fmt::format("the service {} listens there; give each service its own "
                                       "admin.listen, or none",
                                       reply->service));
  }
  return std::nullopt;
}

}  // namespace

AdminSocket::AdminSocket(AdminSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      device_(std::exchange(other.device_, 0)),
      inode_(std::exchange(other.inode_, 0)) {}

// The name goes first: while the descriptor is open no other file can have its inode number.
AdminSocket::~AdminSocket() {
  RemoveName();
  if (fd_ >= 0) close(fd_);
}

void AdminSocket::RemoveName() {
  if (inode_ == 0) return;
  struct stat status {};
  if (lstat(address_.path.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_) {
    unlink(address_.path.c_str());
  }
  inode_ = 0;
}

std::variant<AdminSocket, AdminSocketError> AdminSocket::Listen(const AdminAddress& address,
                                                                std::string_view service_name) {
  switch (address.kind) {
    case AdminAddress::Kind::kOff:
      return Failed(address, "it is switched off");
    case AdminAddress::Kind::kUnix:
      return ListenUnix(address, service_name);
    case AdminAddress::Kind::kTcp:
      return ListenTcp(address);
  }
  return Failed(address, "unknown kind of address");
}

std::variant<AdminSocket, AdminSocketError> AdminSocket::ListenUnix(const AdminAddress& address,
                                                                    std::string_view service_name) {
  if (auto held = WhoHolds(address, service_name)) return *held;
  const std::string temporary = fmt::format("{}.{}", address.path, getpid());
  if (temporary.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return Failed(address, "the name is too long for a socket");
  }
  AdminAddress bound_as = address;
  bound_as.path = temporary;
  AdminSocket listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), address);
  if (listener.fd_ < 0) return FailedCall(address, "socket");
  unlink(temporary.c_str());
  const AdminSocketAddress name = NameOf(bound_as);
  if (bind(listener.fd_, name.get(), name.size) != 0) {
    return FailedCall(address, "bind");
  }
  struct stat status {};
  if (chmod(temporary.c_str(), kMode) != 0 || listen(listener.fd_, kListenQueue) != 0 ||
      lstat(temporary.c_str(), &status) != 0 ||
      rename(temporary.c_str(), address.path.c_str()) != 0) {
    const AdminSocketError error = FailedCall(address, "chmod, listen or rename");
    unlink(temporary.c_str());
    return error;
  }
  listener.device_ = status.st_dev;
  listener.inode_ = status.st_ino;
  return listener;
}

std::variant<AdminSocket, AdminSocketError> AdminSocket::ListenTcp(const AdminAddress& address) {
  const AdminSocketAddress name = NameOf(address);
  if (name.size == 0) return Failed(address, "not a numeric address");
  AdminSocket listener(socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                       address);
  if (listener.fd_ < 0) return FailedCall(address, "socket");
  const int on = 1;
  setsockopt(listener.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (name.family() == AF_INET6) {
    setsockopt(listener.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  if (bind(listener.fd_, name.get(), name.size) != 0) return FailedCall(address, "bind");
  if (listen(listener.fd_, kListenQueue) != 0) return FailedCall(address, "listen");
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(listener.fd_, reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
    listener.address_.port =
        ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                                          : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
  }
  return listener;
}

}  // namespace proxymux::proxy
