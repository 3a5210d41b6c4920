#include "proxy/admin_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace proxymux::proxy {

bool AdminStream::WaitFor(short events) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> watched = {{{fd_, events, 0}, {stop_fd_, POLLIN, 0}}};
    const int ready = poll(watched.data(), watched.size(), static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || watched[1].revents != 0) return false;
    return true;
  }
}

bool AdminStream::is_readable() const { return begin_ < end_ || WaitFor(POLLIN); }

bool AdminStream::is_writable() const { return WaitFor(POLLOUT); }

ssize_t AdminStream::read(char* data, std::size_t size) {
  if (begin_ == end_) {
    const std::size_t room = std::min(buffer_.size(), may_read_);
    if (room == 0) return -1;
    ssize_t received;
    do {
      if (!WaitFor(POLLIN)) return -1;
      received = recv(fd_, buffer_.data(), room, MSG_DONTWAIT);
    } while (received < 0 && (errno == EAGAIN || errno == EINTR));
    if (received <= 0) return received;
    begin_ = 0;
    end_ = static_cast<std::size_t>(received);
    may_read_ -= end_;
  }
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t AdminStream::write(const char* data, std::size_t size) {
  for (;;) {
    if (!WaitFor(POLLOUT)) return -1;
    const ssize_t sent = send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || (errno != EAGAIN && errno != EINTR)) return sent;
  }
}

// Nothing here depends on who asks.
void AdminStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void AdminStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace proxymux::proxy
