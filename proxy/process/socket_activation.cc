#include "proxy/process/socket_activation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

namespace proxymux::proxy {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr int kMaxSockets = 1000;

std::optional<long> PositiveNumber(std::string_view text) {
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

std::optional<std::string> TakeOver(int fd) {
  const int descriptor_flags = fcntl(fd, F_GETFD);
  const int status_flags = fcntl(fd, F_GETFL);
  if (descriptor_flags < 0 || status_flags < 0 ||
      fcntl(fd, F_SETFD, descriptor_flags | FD_CLOEXEC) < 0 ||
      fcntl(fd, F_SETFL, status_flags | O_NONBLOCK) < 0) {
    return std::strerror(errno);
  }
  int type = 0;
  int listens = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return std::strerror(errno);
  size = sizeof(listens);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return std::strerror(errno);
  if (type != SOCK_STREAM || listens == 0) return "not a listening stream socket";
  return std::nullopt;
}

}  // namespace

std::variant<int, ActivationError> ParseListenFds(const char* listen_pid, const char* listen_fds,
                                                  pid_t self) {
  if (listen_pid == nullptr || listen_fds == nullptr) return 0;
  const auto pid = PositiveNumber(listen_pid);
  if (!pid) {
    return ActivationError{
        fmt::format("environment variable LISTEN_PID: `{}' is not a process id", listen_pid)};
  }
  if (*pid != self) return 0;
  const auto count = PositiveNumber(listen_fds);
  if (!count || *count > kMaxSockets) {
    return ActivationError{
        fmt::format("environment variable LISTEN_FDS: `{}' is not a number from 1 to {}",
                    listen_fds, kMaxSockets)};
  }
  return static_cast<int>(*count);
}

std::variant<std::vector<int>, ActivationError> AdoptActivatedSockets() {
  const auto parsed = ParseListenFds(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getpid());
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (const auto* error = std::get_if<ActivationError>(&parsed)) return *error;
  std::vector<int> sockets;
  for (int i = 0; i < std::get<int>(parsed); ++i) {
    if (auto problem = TakeOver(kFirst + i)) {
      return ActivationError{
          fmt::format("descriptor {} from the service manager: {}", kFirst + i, *problem)};
    }
    sockets.push_back(kFirst + i);
  }
  return sockets;
}

}  // namespace proxymux::proxy
