#include "proxy/relay/stock_listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace proxymux::proxy {

namespace {

constexpr int kBacklog = 4;  // we are the only client and have one connection at a time

bool MakeAddress(const std::string& path, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  if (path.size() >= sizeof address->sun_path) return false;
  std::memcpy(address->sun_path, path.data(), path.size());
  return true;
}

int NewSocket() {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

}  // namespace

int ConnectToUnixSocket(const std::string& path) {
  sockaddr_un address;
  if (!MakeAddress(path, &address)) return -ENAMETOOLONG;
  const int fd = NewSocket();
  if (fd < 0) return fd;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;  // a full listen queue is EAGAIN here: UNIX sockets know no EINPROGRESS
  close(fd);
  return -error;
}

int StockListener::Open(const std::string& directory) {
  Close();
  // A directory's name may be longer than a socket's name can be; through its descriptor it is
  // short.
  const int parent = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return -errno;
  const std::string name = ".relay." + std::to_string(getpid());
  const std::string path = "/proc/self/fd/" + std::to_string(parent) + "/" + name;
  sockaddr_un address;
  int result = 0;
  listening_ = NewSocket();
  unlinkat(parent, name.c_str(), 0);  // of an earlier process with our number that ended just here
  if (listening_ < 0) {
    result = std::exchange(listening_, -1);
  } else if (!MakeAddress(path, &address)) {
    result = -ENAMETOOLONG;
  } else if (fchmod(listening_, 0600) != 0 ||  // becomes the entry's mode, whatever the umask adds
             bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
             listen(listening_, kBacklog) != 0) {
    result = -errno;
  } else {
    entry_ = openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry_ < 0) result = -errno;
  }
  unlinkat(parent, name.c_str(), 0);
  close(parent);
  if (result != 0) Close();
  return result;
}

void StockListener::Close() {
  if (listening_ >= 0) close(std::exchange(listening_, -1));
  if (entry_ >= 0) close(std::exchange(entry_, -1));
}

int StockListener::Connect() const { return ConnectToUnixSocket(path()); }

}  // namespace proxymux::proxy
