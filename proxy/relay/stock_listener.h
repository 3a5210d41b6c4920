// The private listening socket of one stock process: nobody but us can connect to it.
//
// It is a UNIX socket bound in a directory of ours under a temporary name that is removed at once,
// so nothing is left behind however we end. What stays is the socket, which each stock process of a
// slot inherits, and a descriptor of its directory entry (O_PATH), through which we connect by way
// of /proc/self/fd. An abstract socket would be open to every local user.
//
// Every descriptor is close-on-exec. Errors are negative errno values.
#pragma once

#include <string>

namespace proxymux::proxy {

class StockListener {
 public:
  StockListener() = default;
  ~StockListener() { Close(); }
  StockListener(const StockListener&) = delete;
  StockListener& operator=(const StockListener&) = delete;

  int Open(const std::string& directory);  // 0 or an error
  void Close();
  bool is_open() const { return listening_ >= 0; }

  int fd() const { return listening_; }

  // Its name for connect(2), valid in this process while open.
  std::string path() const { return "/proc/self/fd/" + std::to_string(entry_); }

  // A connected descriptor, non-blocking, that the caller closes, or an error. It does not wait for
  // the other side to accept.
  int Connect() const;

 private:
  int listening_ = -1;
  int entry_ = -1;
};

// A connected descriptor, as from StockListener::Connect(), for a socket that has a name (relative
// to the working directory).
int ConnectToUnixSocket(const std::string& path);

}  // namespace proxymux::proxy
