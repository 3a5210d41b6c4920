#include "proxy/process/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace proxymux::proxy {

ServiceNotify ServiceNotify::FromEnvironment() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");
  ServiceNotify notify(socket == nullptr ? "" : socket);
  unsetenv("NOTIFY_SOCKET");
  return notify;
}

void ServiceNotify::Ready() const { Tell("READY=1"); }

void ServiceNotify::Reloading(std::chrono::steady_clock::time_point now) const {
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  Tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(time.count()));
}

void ServiceNotify::Stopping() const { Tell("STOPPING=1"); }

void ServiceNotify::Tell(const std::string& state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  std::size_t length = offsetof(sockaddr_un, sun_path) + socket_.size();
  if (socket_[0] == '@') {
    address.sun_path[0] = '\0';  // unix(7), "abstract": the length ends the name
  } else {
    ++length;
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return;
  ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
  ::close(descriptor);
}

}  // namespace proxymux::proxy
