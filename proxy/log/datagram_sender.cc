#include "proxy/log/datagram_sender.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace proxymux::proxy {

DatagramSender::DatagramSender(const std::string& path) {
  address_.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address_.sun_path)) return;
  std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

DatagramSender::~DatagramSender() {
  if (fd_ >= 0) close(fd_);
}

DatagramSender::Delivery DatagramSender::Send(std::string_view line) {
  if (fd_ < 0) return Delivery::kNobody;
  for (;;) {
    const ssize_t sent = sendto(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address_), sizeof(address_));
    if (sent >= 0) return Delivery::kSent;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return Delivery::kFull;
    return Delivery::kNobody;
  }
}

}  // namespace proxymux::proxy
