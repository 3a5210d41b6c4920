// The name of a listening UNIX socket in the file system: whose it is, and giving it up.
#pragma once

#include <sys/types.h>

#include <string>

namespace proxymux::proxy {

// The name that a process of ours bound a socket to. A successor may have put its own socket there
// since.
class SocketName {
 public:
  SocketName() = default;  // none
  explicit SocketName(const std::string& path);

  // Makes the socket another account's; needs root. Nothing happens when there is no name, or when
  // another file has it by now.
  void GiveTo(uid_t user, gid_t group);

  // Unlinks the name if it still leads to the socket that was there at the construction. To be
  // called before the socket is closed: while it is open no other file can have its inode number.
  // Tried once; a name that cannot be removed (privileges are gone) stays, and the next process
  // replaces it.
  void Remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Whether the file `path` leads to is what the listening socket `fd` is bound to.
bool IsNameOf(const std::string& path, int fd);

}  // namespace proxymux::proxy
