#include "proxy/socket_name.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace proxymux::proxy {

SocketName::SocketName(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return;
  path_ = path;
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

void SocketName::GiveTo(uid_t user, gid_t group) {
  if (!path_.empty() && lchown(path_.c_str(), user, group) != 0) return;  // stays root's
}

void SocketName::Remove() {
  struct stat info {};
  if (!path_.empty() && lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
}

bool IsNameOf(const std::string& path, int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.sun_family != AF_UNIX || size <= sizeof(sa_family_t)) return false;
  struct stat bound {};
  struct stat named {};
  return stat(address.sun_path, &bound) == 0 && stat(path.c_str(), &named) == 0 &&
         bound.st_dev == named.st_dev && bound.st_ino == named.st_ino;
}

}  // namespace proxymux::proxy
