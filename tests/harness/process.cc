#include "tests/harness/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "tests/harness/launch.h"

namespace proxymux::harness {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int StatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// Waits for a child of ours, with a limit.
std::optional<int> WaitFor(pid_t pid, milliseconds limit) {
  const Deadline deadline(limit);
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle >= 0) {
    pollfd wait{handle, POLLIN, 0};
    while (::poll(&wait, 1, deadline.Left()) < 0 && errno == EINTR) {
    }
    ::close(handle);
  }
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return StatusOf(status);
}

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) Fail("pipe");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  void CloseRead() {
    if (read >= 0) ::close(read);
    read = -1;
  }
  void CloseWrite() {
    if (write >= 0) ::close(write);
    write = -1;
  }
};

// Moves one readable chunk into `text`; false at the end.
bool Drain(int fd, std::string& text) {
  char buffer[16384];
  const ssize_t count = ::read(fd, buffer, sizeof(buffer));
  if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

std::vector<ProcessInfo> AllProcesses() {
  std::vector<ProcessInfo> all;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) Fail("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    // "pid (name) state ppid ...": the name may hold anything, so look from the right.
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 > line.size())
      continue;
    all.push_back({pid, std::atoi(line.c_str() + close + 4), line[close + 2],
                   line.substr(open + 1, close - open - 1)});
  }
  ::closedir(proc);
  return all;
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& arguments, const CommandOptions& options) {
  LaunchPlan plan = MakeLaunchPlan(arguments, options);
  Pipe in, out, err;
  const pid_t pid = ::fork();
  if (pid < 0) Fail("fork");
  if (pid == 0) Launch(plan, options, in.read, out.write, err.write, {});
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  ::fcntl(in.write, F_SETFL, O_NONBLOCK);

  CommandResult result;
  const Deadline deadline(options.limit);
  // A program that goes into the background (postfix start) may leave its output open: the end of
  // the program ends it too.
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  std::size_t written = 0;
  if (options.input.empty()) in.CloseWrite();
  while (true) {
    pollfd wait[] = {
        {out.read, POLLIN, 0}, {err.read, POLLIN, 0}, {in.write, POLLOUT, 0}, {handle, POLLIN, 0}};
    const int ready = ::poll(wait, 4, deadline.Left());
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      result.timed_out = true;
      ::kill(pid, SIGKILL);
      break;
    }
    if (wait[0].revents != 0 && !Drain(out.read, result.out)) out.CloseRead();
    if (wait[1].revents != 0 && !Drain(err.read, result.err)) err.CloseRead();
    if (wait[2].revents != 0) {
      const ssize_t count =
          ::write(in.write, options.input.data() + written, options.input.size() - written);
      if (count > 0) written += static_cast<std::size_t>(count);
      if (written == options.input.size() || (count < 0 && errno != EAGAIN)) in.CloseWrite();
    }
    const bool silent = wait[0].revents == 0 && wait[1].revents == 0;
    if (wait[3].revents != 0 && silent) break;
  }
  ::close(handle);
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.status = StatusOf(status);
  return result;
}

std::string RunOrThrow(const std::vector<std::string>& arguments, const CommandOptions& options) {
  CommandResult result = RunCommand(arguments, options);
  if (result.status == 0) return result.out;
  std::string text;
  for (const auto& argument : arguments) text += argument + " ";
  throw std::runtime_error(text + "ended with " + std::to_string(result.status) +
                           (result.timed_out ? " (time limit): " : ": ") + result.err + result.out);
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::string& output_file, const CommandOptions& options,
                           const std::vector<Descriptor>& descriptors) {
  LaunchPlan plan = MakeLaunchPlan(arguments, options);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int output = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (null < 0 || output < 0) Fail(output_file);
  pid_ = ::fork();
  if (pid_ == 0) Launch(plan, options, null, output, output, descriptors);
  ::close(null);
  ::close(output);
  if (pid_ < 0) Fail("fork");
}

ChildProcess::~ChildProcess() {
  if (!Running()) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, SIGKILL);
  Wait();
}

void ChildProcess::Signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

std::optional<int> ChildProcess::Wait(milliseconds limit) {
  if (!status_) status_ = WaitFor(pid_, limit);
  return status_;
}

bool ChildProcess::Running() { return !Wait(milliseconds(0)); }

std::vector<ProcessInfo> ProcessesIn(const std::string& directory) {
  std::vector<ProcessInfo> found;
  for (auto& process : AllProcesses()) {
    char path[4096];
    const std::string link = "/proc/" + std::to_string(process.pid) + "/cwd";
    const ssize_t length = ::readlink(link.c_str(), path, sizeof(path));
    if (length <= 0 || process.state == 'Z') continue;
    const std::string where(path, static_cast<std::size_t>(length));
    if (where == directory || where.starts_with(directory + "/")) found.push_back(process);
  }
  return found;
}

std::vector<ProcessInfo> ChildrenOf(pid_t parent) {
  std::vector<ProcessInfo> found;
  for (auto& process : AllProcesses()) {
    if (process.parent == parent) found.push_back(process);
  }
  return found;
}

void EndProcessesIn(const std::string& directory) {
  Eventually([&] {
    const auto left = ProcessesIn(directory);
    for (const auto& process : left) {
      if (process.pid != ::getpid()) ::kill(process.pid, SIGKILL);
    }
    return left.empty();
  });
}

}  // namespace proxymux::harness
