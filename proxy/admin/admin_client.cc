#include "proxy/admin/admin_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostBytes = 256 << 20;  // of an answer

class Connection {
 public:
  Connection(const AdminAddress& address, milliseconds limit)
      : address_(address), limit_(limit), deadline_(Clock::now() + limit) {}
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::optional<AdminClientError> Open() {
    const AdminSocketAddress name = NameOf(address_);
    fd_ = socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return AdminClientError{fmt::format("socket: {}", std::strerror(errno))};
    // connect(2) waits that long, also for a place in the queue of a UNIX socket (socket(7)).
    const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(limit_).count();
    const timeval time = {limit / 1'000'000, limit % 1'000'000};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
    if (connect(fd_, name.get(), name.size) == 0) return std::nullopt;
    const int error = errno;
    if (error == EINPROGRESS) return NoAnswer("no connection");
    const bool nobody_listens = error == ENOENT || error == ECONNREFUSED;
    return AdminClientError{WhyNoConnection(error), nobody_listens};
  }

  std::optional<AdminClientError> Send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!WaitFor(POLLOUT)) return NoAnswer("the request is not taken");
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      // It may have been answered, and refused, before it was read.
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return std::nullopt;
    }
    return std::nullopt;
  }

  // All that comes until the other side closes.
  std::optional<AdminClientError> ReadAll(std::string* all) {
    std::array<char, 65536> buffer;
    while (all->size() < kMostBytes) {
      if (!WaitFor(POLLIN)) return NoAnswer("timeout");
      const ssize_t received = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (received == 0) return std::nullopt;
      if (received > 0) all->append(buffer.data(), static_cast<std::size_t>(received));
      // What has come may be a whole answer all the same.
      if (received < 0 && errno != EAGAIN && errno != EINTR) return std::nullopt;
    }
    return NoAnswer("it is too long");
  }

  AdminClientError NoAnswer(std::string_view why) const {
    return {
        fmt::format("no answer from {} within {} ms ({})", address_.Text(), limit_.count(), why),
        /*nobody_listens=*/false};
  }

 private:
  bool WaitFor(short events) const {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return false;
      pollfd watched = {fd_, events, 0};
      const int ready = poll(&watched, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  std::string WhyNoConnection(int error) const {
    if (address_.kind != AdminAddress::Kind::kUnix) {
      return fmt::format("cannot connect to {}: {}: is the service running?", address_.Text(),
                         std::strerror(error));
    }
    switch (error) {
      case ENOENT:
        return fmt::format(
            "there is no socket {}: is the service running, and is its admin listener there?",
            address_.path);
      case ECONNREFUSED:
        return fmt::format("nobody listens on {}: the service is not running", address_.path);
      case EACCES:
        return fmt::format("no permission to connect to {}: run this as root or as the mail owner",
                           address_.path);
      case EAGAIN:
        return fmt::format("too many connections wait for an answer on {}", address_.path);
      default:
        return fmt::format("cannot connect to {}: {}", address_.path, std::strerror(error));
    }
  }

  const AdminAddress& address_;
  const milliseconds limit_;
  const Clock::time_point deadline_;
  int fd_ = -1;
};

// Takes what is before `end`, and `end` itself, off the front; everything when it does not occur.
std::string_view TakeUntil(std::string_view* text, std::string_view end) {
  const std::size_t at = text->find(end);
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + end.size());
  return taken;
}

// Nothing when it is no answer of HTTP, or not all of one.
std::optional<AdminReply> ParseAnswer(std::string_view bytes) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::string_view kServiceHeader = "X-Proxymux-Service";
  constexpr std::string_view kLengthHeader = "Content-Length";
  if (bytes.find("\r\n\r\n") == std::string_view::npos || !bytes.starts_with(kVersion)) {
    return std::nullopt;
  }
  std::string_view head = TakeUntil(&bytes, "\r\n\r\n");
  AdminReply reply;
  std::string_view status_line = TakeUntil(&head, "\r\n");
  TakeUntil(&status_line, " ");
  std::from_chars(status_line.data(), status_line.data() + status_line.size(), reply.status);
  std::optional<std::size_t> length;
  while (!head.empty()) {
    std::string_view value = TakeUntil(&head, "\r\n");
    const std::string_view name = TakeUntil(&value, ":");
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    const auto is = [name](std::string_view wanted) {
      return name.size() == wanted.size() &&
             strncasecmp(name.data(), wanted.data(), name.size()) == 0;
    };
    if (is(kServiceHeader)) reply.service = value;
    if (is(kLengthHeader)) {
      std::from_chars(value.data(), value.data() + value.size(), length.emplace(0));
    }
  }
  if (reply.status == 0 || (length && *length != bytes.size())) return std::nullopt;
  reply.body = bytes;
  return reply;
}

std::variant<AdminReply, AdminClientError> Exchange(const AdminAddress& address,
                                                    std::string_view method,
                                                    std::string_view target, milliseconds limit) {
  if (address.kind == AdminAddress::Kind::kOff) {
    return AdminClientError{"the admin listener is switched off (setting admin.listen)"};
  }
  Connection connection(address, limit);
  std::string bytes;
  if (auto error = connection.Open()) return *error;
  // HTTP/1.0: the answer is one piece, and its end is the connection's.
  const std::string request = fmt::format("{} {} HTTP/1.0\r\nHost: localhost\r\n{}\r\n", method,
                                          target, method == "POST" ? "Content-Length: 0\r\n" : "");
  if (auto error = connection.Send(request)) return *error;
  if (auto error = connection.ReadAll(&bytes)) return *error;
  auto reply = ParseAnswer(bytes);
  if (!reply) {
    return AdminClientError{
        fmt::format("what {} answers is no HTTP, or was cut short", address.Text())};
  }
  return *std::move(reply);
}

}  // namespace

std::variant<AdminReply, AdminClientError> AdminGet(const AdminAddress& address,
                                                    const std::string& path, milliseconds limit) {
  return Exchange(address, "GET", path, limit);
}

std::variant<AdminReply, AdminClientError> AdminPost(const AdminAddress& address,
                                                     const ControlRequest& request,
                                                     milliseconds limit) {
  return Exchange(address, "POST", request.Target(), limit);
}

}  // namespace proxymux::proxy
