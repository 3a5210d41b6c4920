#include "proxy/uv/uv_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace proxymux::proxy {
namespace {

// One turn of the loop takes so many at most, so that a flood of new clients does not hold up the
// others.
constexpr int kAcceptsPerTurn = 256;

constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);

// The umask gives a socket's file its mode when it is made; for as long as this lives.
class ScopedUmask {
 public:
  explicit ScopedUmask(mode_t mask) : before_(umask(mask)) {}
  ~ScopedUmask() { umask(before_); }
  ScopedUmask(const ScopedUmask&) = delete;
  ScopedUmask& operator=(const ScopedUmask&) = delete;

 private:
  const mode_t before_;
};

constexpr mode_t kOwnerAndGroup = 0660;

}  // namespace

UvListener::UvListener(uv_loop_t* loop, int fd, Callbacks callbacks)
    : loop_(loop), fd_(fd), callbacks_(std::move(callbacks)), retry_(loop, [this] {
        if (!paused_) poll_.SetEvents(UV_READABLE);
      }) {}

UvListener::~UvListener() {
  poll_.Close();
  close(fd_);
}

std::string UvListener::Start() {
  const int result = poll_.Open(loop_, fd_, [this](int, int) { Accept(); });
  if (result != 0) return uv_strerror(result);
  poll_.SetEvents(UV_READABLE);
  return {};
}

void UvListener::Pause() {
  paused_ = true;
  poll_.SetEvents(0);
}

void UvListener::Resume() {
  paused_ = false;
  poll_.SetEvents(UV_READABLE);
}

void UvListener::Accept() {
  bool accepted = false;
  for (int i = 0; i < kAcceptsPerTurn && !paused_; ++i) {
    const int client = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0) {
      accepted = true;
      callbacks_.on_accept(client);
      continue;
    }
    switch (errno) {
      case EAGAIN:
        if (accepted) callbacks_.on_drained();
        return;
      case EINTR:
      case ECONNABORTED:
        continue;
      default:
        callbacks_.on_pause(std::string("cannot accept clients: ") + std::strerror(errno));
        poll_.SetEvents(0);
        retry_.Start(kPauseWithoutDescriptors);
        return;
    }
  }
}

int ListenUnix(const std::string& path, std::string* error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    *error =
        "the name of a socket has 1 to " + std::to_string(sizeof(address.sun_path) - 1) + " bytes";
    return -1;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    *error = std::strerror(errno);
    return -1;
  }
  // Not afterwards, by its name: who may write to the directory could have put another file there.
  const ScopedUmask mode(0777 & ~kOwnerAndGroup);
  if (bind(fd, generic, sizeof(address)) == 0) {
    // Ours.
  } else if (errno != EADDRINUSE) {
    *error = std::strerror(errno);
    close(fd);
    return -1;
  } else {
    struct stat info {};
    // Non-blocking: one that listens and is stuck has a full queue (EAGAIN).
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool in_use = connect(probe, generic, sizeof(address)) == 0 || errno == EAGAIN;
    close(probe);
    if (in_use) {
      *error = "another process is listening there";
      close(fd);
      return -1;
    }
    if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode) || unlink(path.c_str()) != 0 ||
        bind(fd, generic, sizeof(address)) != 0) {
      *error = "the name is taken";
      close(fd);
      return -1;
    }
  }
  if (listen(fd, SOMAXCONN) != 0) {
    *error = std::strerror(errno);
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace proxymux::proxy
