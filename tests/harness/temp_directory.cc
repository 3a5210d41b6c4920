#include "tests/harness/temp_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/harness/process.h"

namespace proxymux::harness {
namespace {

// The guard: reads "+DIRECTORY" and "-DIRECTORY" lines, and at the end of its input, which is the
// end of the process that writes them, removes what is left on its list.
class Guard {
 public:
  static Guard& Instance() {
    static Guard guard;
    return guard;
  }
  void Tell(char sign, const std::string& directory) {
    const std::string line = sign + directory + "\n";
    if (::write(pipe_, line.data(), line.size()) < 0)
      throw std::runtime_error("guard process is gone");
  }

 private:
  Guard() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid > 0) {
      ::signal(SIGPIPE,
               SIG_IGN);  // a peer that goes away is an error to look at, not the end of the test
      ::close(ends[0]);
      pipe_ = ends[1];
      return;
    }
    // Out of reach of what ends the test: another session, signals ignored, no descriptor of the
    // test kept open.
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
    ::dup2(ends[0], 0);
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 1);
    ::dup2(null, 2);
    if (::chdir("/") != 0) ::_exit(1);
    std::string pending;
    std::set<std::string> directories;
    char buffer[4096];
    ssize_t count;
    while ((count = ::read(0, buffer, sizeof(buffer))) > 0) {
      pending.append(buffer, static_cast<std::size_t>(count));
      for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
        const std::string directory = pending.substr(1, end - 1);
        if (pending[0] == '+') directories.insert(directory);
        if (pending[0] == '-') directories.erase(directory);
        pending.erase(0, end + 1);
      }
    }
    for (const auto& directory : directories) TempDirectory::Remove(directory);
    ::_exit(0);
  }

  int pipe_ = -1;
};

}  // namespace

TempDirectory::TempDirectory() {
  char name[] = "/tmp/pmx.XXXXXX";
  Guard::Instance();
  if (::mkdtemp(name) == nullptr)
    throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
  path_ = name;
  Guard::Instance().Tell('+', path_);
  ::chmod(name, 0755);
}

TempDirectory::~TempDirectory() {
  if (keep_) return;
  Remove(path_);
  Guard::Instance().Tell('-', path_);
}

void TempDirectory::Remove(const std::string& directory) {
  // Whoever was about to start something or to write a file may still do so once.
  Eventually([&] {
    EndProcessesIn(directory);
    std::error_code error;
    std::filesystem::remove_all(directory, error);
    return !error && !std::filesystem::exists(directory, error);
  });
}

void TempDirectory::Keep() {
  keep_ = true;
  Guard::Instance().Tell('-', path_);
}

void WriteFile(const std::string& path, const std::string& text, int mode) {
  const std::string beside = path + ".new";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
  }
  if (::chmod(beside.c_str(), static_cast<mode_t>(mode)) != 0 ||
      ::rename(beside.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
  }
}

void WriteOldFile(const std::string& path, const std::string& text) {
  WriteFile(path, text);
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace proxymux::harness
