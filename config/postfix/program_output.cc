#include "config/postfix/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace proxymux::config {
namespace {

using Clock = std::chrono::steady_clock;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { Close(); }

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Reset(int fd) {
    Close();
    fd_ = fd;
  }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string ErrorText(int error) { return std::generic_category().message(error); }

bool OpenPipe(FileDescriptor* reading, FileDescriptor* writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  reading->Reset(ends[0]);
  writing->Reset(ends[1]);
  return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// A file without a name. -1 with errno.
int NamelessFile() { return memfd_create("program", MFD_CLOEXEC); }

// The same, with the text, read from its beginning.
int FileWith(const std::string& text) {
  FileDescriptor file(NamelessFile());
  for (std::size_t written = 0; file.get() >= 0 && written < text.size();) {
    const ssize_t count = write(file.get(), text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) return -1;
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  if (file.get() < 0 || lseek(file.get(), 0, SEEK_SET) != 0) return -1;
  return file.Release();
}

// The program in a process group of its own, with every signal at its default.
int Spawn(const ProgramRun& run, int in, int out, int err, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (const int error = posix_spawn_file_actions_init(&actions)) return error;
  if (const int error = posix_spawnattr_init(&attributes)) {
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  int error = in >= 0 ? posix_spawn_file_actions_adddup2(&actions, in, 0)
                      : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, err, 2);
  // Listening sockets and the like must not stay open in a program that hangs.
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (error == 0) {
    error = posix_spawn(pid, run.arguments[0].c_str(), &actions, &attributes,
                        Pointers(run.arguments).data(), Pointers(run.environment).data());
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Appends what there is to read. False at the end of the file or when reading fails.
bool Drain(int fd, std::string* to) {
  char buffer[16384];
  const ssize_t count = read(fd, buffer, sizeof(buffer));
  if (count > 0) to->append(buffer, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

std::string DescribeStatus(int status) {
  if (WIFEXITED(status)) {
    if (WEXITSTATUS(status) == 0) return {};
    return "exited with status " + std::to_string(WEXITSTATUS(status));
  }
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  return "ended in an unknown way";
}

// Collects both streams until both are closed. Empty, or why the program must be ended.
std::string Collect(const ProgramRun& run, Clock::time_point deadline, FileDescriptor* out,
                    FileDescriptor* err, ProgramOutput* result) {
  while (out->get() >= 0 || err->get() >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return "took longer than " + std::to_string(run.time_limit.count()) + " ms";
    // poll() skips descriptors below 0.
    pollfd watched[2] = {{out->get(), POLLIN, 0}, {err->get(), POLLIN, 0}};
    const int ready = poll(watched, 2, static_cast<int>(std::min<long>(left, 60000)));
    if (ready < 0 && errno != EINTR) return "poll: " + ErrorText(errno);
    if (ready <= 0) continue;
    if (watched[0].revents != 0 && !Drain(out->get(), &result->out)) out->Close();
    if (watched[1].revents != 0 && !Drain(err->get(), &result->err)) err->Close();
    if (std::max(result->out.size(), result->err.size()) > run.max_output) {
      return "wrote more than " + std::to_string(run.max_output) + " bytes";
    }
  }
  return {};
}

// What a file without a name holds, `most` bytes of it.
std::string TextOf(const FileDescriptor& file, std::size_t most) {
  std::string text(most, '\0');
  const ssize_t count = pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

// Waits for the program until the deadline; then kills it.
std::string Reap(pid_t pid, Clock::time_point deadline, bool kill_now) {
  int status = 0;
  while (!kill_now) {
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return DescribeStatus(status);
    if (ended < 0 && errno != EINTR) return "waitpid: " + ErrorText(errno);
    if (Clock::now() >= deadline) break;
    // It only has to exit now, and there is no descriptor to wait on for that.
    poll(nullptr, 0, 1);
  }
  kill(-pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return "waitpid: " + ErrorText(errno);
  }
  return kill_now ? std::string() : "did not exit in time";
}

// Where the program writes; `reading` is the other end of a pipe, or nothing.
bool OpenOutput(const ProgramRun& run, FileDescriptor* reading, FileDescriptor* writing) {
  if (!run.leaves_others) return OpenPipe(reading, writing);
  writing->Reset(NamelessFile());
  return writing->get() >= 0;
}

}  // namespace

ProgramOutput RunProgram(const ProgramRun& run) {
  ProgramOutput result;
  if (run.arguments.empty()) {
    result.failure = "no program given";
    return result;
  }
  const Clock::time_point deadline = Clock::now() + run.time_limit;
  FileDescriptor out, err, out_for_program, err_for_program;
  if (!OpenOutput(run, &out, &out_for_program) || !OpenOutput(run, &err, &err_for_program)) {
    result.failure = "its output: " + ErrorText(errno);
    return result;
  }
  FileDescriptor in;
  if (!run.input.empty()) {
    in.Reset(FileWith(run.input));
    if (in.get() < 0) {
      result.failure = "its input: " + ErrorText(errno);
      return result;
    }
  }
  pid_t pid = -1;
  if (const int error = Spawn(run, in.get(), out_for_program.get(), err_for_program.get(), &pid)) {
    result.failure = "cannot be run: " + ErrorText(error);
    return result;
  }
  if (run.leaves_others) {
    result.failure = Reap(pid, deadline, /*kill_now=*/false);
    result.out = TextOf(out_for_program, run.max_output);
    result.err = TextOf(err_for_program, run.max_output);
    return result;
  }
  out_for_program.Close();
  err_for_program.Close();
  result.failure = Collect(run, deadline, &out, &err, &result);
  const std::string ending = Reap(pid, deadline, !result.failure.empty());
  if (result.failure.empty()) result.failure = ending;
  return result;
}

std::vector<std::string> PostfixEnvironment(const std::string& config_directory) {
  return {"MAIL_CONFIG=" + config_directory, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"};
}

}  // namespace proxymux::config
