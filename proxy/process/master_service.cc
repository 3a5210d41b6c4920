#include "proxy/process/master_service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

namespace proxymux::proxy {
namespace {

bool SetCloseOnExec(int fd) {
  const int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) >= 0;
}

bool SetNonBlocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0;
}

// send(2) for a socket; for a pipe a write(2) whose SIGPIPE is caught before anyone sees it.
ssize_t WriteQuietly(int fd, const void* data, std::size_t size) {
  const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  sigset_t pipe_only;
  sigset_t before;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  const ssize_t written = write(fd, data, size);
  const int error = errno;
  if (written < 0 && error == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec at_once{};
    sigtimedwait(&pipe_only, nullptr, &at_once);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

DescriptorError Missing(int fd, const char* what) {
  return {fmt::format("descriptor {} ({}): {}; this command line is for master(8) only", fd, what,
                      std::strerror(errno))};
}

}  // namespace

std::variant<MasterDescriptors, DescriptorError> AdoptMasterDescriptors(int socket_count) {
  MasterDescriptors descriptors;
  // The flow pipe is not used: when it is missing, so be it.
  SetCloseOnExec(MasterDescriptors::kFlowRead);
  SetCloseOnExec(MasterDescriptors::kFlowWrite);
  if (!SetCloseOnExec(descriptors.status) || !SetNonBlocking(descriptors.status)) {
    return Missing(descriptors.status, "status socket to master");
  }
  for (int i = 0; i < socket_count; ++i) {
    const int fd = MasterDescriptors::kFirstListener + i;
    if (!SetCloseOnExec(fd) || !SetNonBlocking(fd)) return Missing(fd, "listening socket");
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
      return Missing(fd, "listening socket");
    }
    if (listens == 0) {
      return DescriptorError{
          fmt::format("descriptor {} is a socket that nobody listens on; this command line is for "
                      "master(8) only",
                      fd)};
    }
    descriptors.listeners.push_back(fd);
  }
  return descriptors;
}

StatusWrite MasterStatus::ReportServed() {
  if (reported_) return StatusWrite::kSent;
  const int generation = static_cast<int>(generation_);
  const std::array<int, 6> messages = {pid_, generation, 0, pid_, generation, 1};
  for (;;) {
    const ssize_t sent = WriteQuietly(fd_, messages.data(), sizeof(messages));
    if (sent == static_cast<ssize_t>(sizeof(messages))) {
      reported_ = true;
      return StatusWrite::kSent;
    }
    if (sent >= 0) return StatusWrite::kFailed;  // a stream socket takes so little whole or not
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return StatusWrite::kWouldBlock;
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
      return StatusWrite::kMasterGone;
    }
    return StatusWrite::kFailed;
  }
}

}  // namespace proxymux::proxy
