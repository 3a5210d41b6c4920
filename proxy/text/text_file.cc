#include "proxy/text/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace proxymux::proxy {

std::optional<std::string> ReadTextFile(const std::string& path, std::string* error) {
  // Non-blocking, so that a FIFO in a file's place cannot stop the process.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    *error = std::strerror(errno);
    return std::nullopt;
  }
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    *error = "not a plain file";
    close(fd);
    return std::nullopt;
  }
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 || text.size() + static_cast<std::size_t>(size) > kMaxTextFile) {
      *error = size < 0 ? std::strerror(errno) : "larger than 8MiB";
      close(fd);
      return std::nullopt;
    }
    if (size == 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  close(fd);
  return text;
}

}  // namespace proxymux::proxy
