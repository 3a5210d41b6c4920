#include "proxy/install/config_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <regex>
#include <system_error>
#include <thread>
#include <utility>

#include "proxy/text/text_file.h"

namespace proxymux::proxy {
namespace {

namespace fs = std::filesystem;

constexpr char kKept[] = ".proxymux-";

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

std::string Because(const std::string& path) { return path + ": " + std::strerror(errno); }

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Everything that a new file needs before it may have a name that counts.
bool Fill(int fd, std::string_view text, const struct stat& like) {
  return ftruncate(fd, 0) == 0 && WriteAll(fd, text) && fchown(fd, like.st_uid, like.st_gid) == 0 &&
         fchmod(fd, like.st_mode & 07777) == 0 && fsync(fd) == 0;
}

// The file that whoever edits FILE holds, FILE.tmp: opened, and locked. It is gone at the end,
// unless it was renamed.
class HeldFile {
 public:
  explicit HeldFile(const std::string& path) : path_(path) {}
  ~HeldFile() {
    if (fd_ < 0) return;
    if (!renamed_) unlink(path_.c_str());
    close(fd_);
  }
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  // Nothing: it is held.
  std::optional<std::string> Hold() {
    const auto end = std::chrono::steady_clock::now() + kLongestEdit;
    for (;;) {
      const std::optional<int> error = Try();
      if (!error.has_value()) return std::nullopt;
      if (*error != EWOULDBLOCK) return path_ + ": " + std::strerror(*error);
      if (std::chrono::steady_clock::now() > end) {
        return path_ + ": another program, as postconf, is changing it: try again";
      }
      std::this_thread::sleep_for(kTryAgain);
    }
  }
  int fd() const { return fd_; }
  bool RenameTo(const std::string& path) {
    renamed_ = rename(path_.c_str(), path.c_str()) == 0;
    return renamed_;
  }

 private:
  static constexpr std::chrono::seconds kLongestEdit{2};
  static constexpr std::chrono::milliseconds kTryAgain{20};

  // EWOULDBLOCK also where its name went to another file meanwhile, or is a second name of one.
  std::optional<int> Try() {
    const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return errno;
    struct stat held {};
    struct stat named {};
    int error = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &held) != 0) {
      error = errno;
    } else if (lstat(path_.c_str(), &named) != 0 || named.st_dev != held.st_dev ||
               named.st_ino != held.st_ino) {
      error = EWOULDBLOCK;
    } else if (!S_ISREG(held.st_mode) || held.st_nlink != 1) {
      unlink(path_.c_str());
      error = EWOULDBLOCK;
    }
    if (error == 0) {
      fd_ = fd;
      return std::nullopt;
    }
    close(fd);
    return error;
  }

  const std::string path_;
  int fd_ = -1;
  bool renamed_ = false;
};

// A rename counts after a crash as well.
void SyncDirectoryOf(const std::string& path) {
  const int fd = open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

std::optional<std::string> ConfigFile::Read(const std::string& path) {
  path_ = path;
  std::error_code error;
  real_path_ = fs::canonical(path, error).string();
  if (error) return path + ": " + error.message();
  std::string why;
  auto text = ReadTextFile(real_path_, &why);
  if (!text.has_value()) return path + ": cannot be read: " + why;
  text_ = std::move(*text);
  return std::nullopt;
}

std::optional<std::string> ConfigFile::Changed() const {
  std::string why;
  std::error_code error;
  const bool same_file = fs::canonical(path_, error) == real_path_ && !error;
  if (same_file && ReadTextFile(real_path_, &why) == text_) return std::nullopt;
  return path_ + ": was changed by somebody else meanwhile";
}

std::optional<std::string> ConfigFile::WriteCopy(const std::string& path,
                                                 std::string_view text) const {
  struct stat like {};
  if (stat(real_path_.c_str(), &like) != 0) return Because(real_path_);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Because(path);
  std::optional<std::string> problem;
  if (!Fill(fd, text, like)) problem = Because(path);
  close(fd);
  if (problem.has_value()) unlink(path.c_str());
  return problem;
}

std::optional<std::string> ConfigFile::Keep() {
  const std::string beginning = path_ + kKept + Now();
  std::string name = beginning;
  std::error_code error;
  for (char second = '2'; fs::exists(name, error) && second <= '9'; ++second) {
    name = beginning + "-" + second;
  }
  if (auto problem = WriteCopy(name, text_)) return problem;
  kept_ = name;
  return std::nullopt;
}

std::optional<std::string> ConfigFile::Replace(const std::string& text) {
  struct stat like {};
  if (stat(real_path_.c_str(), &like) != 0) return Because(real_path_);
  HeldFile ready(real_path_ + ".tmp");
  // postconf(1) knows the link only.
  HeldFile beside_link(path_ + ".tmp");
  if (auto problem = ready.Hold()) return problem;
  std::error_code error;
  if (fs::is_symlink(path_, error)) {
    if (auto problem = beside_link.Hold()) return problem;
  }
  if (auto problem = Changed()) return problem;
  if (!Fill(ready.fd(), text, like)) return Because(real_path_ + ".tmp");
  if (!ready.RenameTo(real_path_)) return Because(real_path_);
  text_ = text;
  SyncDirectoryOf(real_path_);
  return std::nullopt;
}

std::vector<std::string> KeptCopies(const std::string& path) {
  static const std::regex kDate("[0-9]{8}T[0-9]{6}Z(-[2-9])?");
  std::vector<std::string> found;
  const fs::path file(path);
  const std::string beginning = file.filename().string() + kKept;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(beginning) && std::regex_match(name.substr(beginning.size()), kDate)) {
      found.push_back(entry.path());
    }
  }
  std::ranges::sort(found, std::greater<>());
  return found;
}

}  // namespace proxymux::proxy
