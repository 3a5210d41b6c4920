// A listening socket for the admin server, and the rules by which its name is taken and given up.
//
// UNIX: the socket is bound under a temporary name, gets mode 0660, and is then renamed to its own
// name, so that a client always finds a socket that is listened on. A name left by a dead process
// is replaced. A living process keeps its name, unless that process is our predecessor: a proxymux
// of the same service, which drains while we start (it is asked over HTTP, and has half a second to
// answer). The name is removed at the end only while it is still ours. TCP: SO_REUSEADDR only, so
// that two services never share a port unseen.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "proxy/admin/admin_address.h"

namespace proxymux::proxy {

struct AdminSocketError {
  std::string text;
};

class AdminSocket {
 public:
  // Blocks for half a second at most.
  static std::variant<AdminSocket, AdminSocketError> Listen(const AdminAddress& address,
                                                            std::string_view service_name);

  ~AdminSocket();
  AdminSocket(AdminSocket&& other) noexcept;
  AdminSocket& operator=(AdminSocket&&) = delete;

  int fd() const { return fd_; }
  const AdminAddress& address() const { return address_; }  // with the real port

  // Unlinks the name if it is still ours. The destructor does that too, and closes.
  void RemoveName();

 private:
  AdminSocket(int fd, AdminAddress address) : fd_(fd), address_(std::move(address)) {}

  static std::variant<AdminSocket, AdminSocketError> ListenUnix(const AdminAddress& address,
                                                                std::string_view service_name);
  static std::variant<AdminSocket, AdminSocketError> ListenTcp(const AdminAddress& address);

  int fd_ = -1;
  AdminAddress address_;
  dev_t device_ = 0;  // of the name in the file system; inode 0: none
  ino_t inode_ = 0;
};

}  // namespace proxymux::proxy
