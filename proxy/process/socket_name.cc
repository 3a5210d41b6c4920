#include "proxy/process/socket_name.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace proxymux::proxy {

namespace {

// A socket of this process's user that has no other name.
bool IsOwnSocket(const struct stat& info) {
  return S_ISSOCK(info.st_mode) && info.st_uid == geteuid() && info.st_nlink == 1;
}

}  // namespace

SocketName::SocketName(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !IsOwnSocket(info)) return;
  path_ = path;
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

// What has the name is looked at and changed through one descriptor.
void SocketName::GiveTo(uid_t user, gid_t group) {
  if (path_.empty()) return;
  const int file = open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return;
  struct stat info {};
  if (fstat(file, &info) == 0 && IsOwnSocket(info) && info.st_dev == device_ &&
      info.st_ino == inode_) {
    // On failure it stays root's.
    static_cast<void>(fchownat(file, "", user, group, AT_EMPTY_PATH) == 0);
  }
  close(file);
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
