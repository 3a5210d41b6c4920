#include "proxy/relay/uv_stock_process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

namespace {

// A descriptor that is ours for the length of a function.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string DescribeEnd(std::int64_t status, int signal_number) {
  if (signal_number != 0) return "ended by signal " + std::to_string(signal_number);
  return "exit status " + std::to_string(status);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

struct UvStockProcess::State {
  uv_loop_t* loop;
  std::function<void(const std::string&)> on_end;
  UvProcess process;
  UvPipe status;
  bool ended = false;

  // It reports whether it is busy (master(8) would count that), which its requests tell as well.
  void OnStatus(std::int64_t result) {
    if (result < 0) status.Close();
  }
};

UvStockProcess::UvStockProcess(uv_loop_t* loop, std::function<void(const std::string&)> on_end)
    : state_(new State{loop, std::move(on_end), {}, {}, false}) {}

UvStockProcess::~UvStockProcess() {
  if (!state_->process.is_open() || state_->ended) return;
  state_->process.Kill(SIGKILL);
  // The handle lives on by itself until the process has been reaped.
  struct Orphan {
    UvProcess process;
  };
  auto orphan = std::make_shared<Orphan>();
  orphan->process = std::move(state_->process);
  orphan->process.SetCallback([orphan](std::int64_t, int) { orphan->process.Close(); });
}

int UvStockProcess::Start(const StockLaunch& launch, int listening_fd, std::string* error) {
  const auto failed = [error](const std::string& what, int result) {
    *error = what + ": " + uv_strerror(result);
    return result;
  };
  const ScopedFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.get() < 0) return failed("cannot open /dev/null", -errno);
  int flow[2];
  if (pipe2(flow, O_CLOEXEC | O_NONBLOCK) != 0) return failed("cannot make a pipe", -errno);
  const ScopedFd flow_read(flow[0]);
  const ScopedFd flow_write(flow[1]);
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return failed("cannot make a socket pair", -errno);
  }
  ScopedFd status_ours(pair[0]);
  const ScopedFd status_theirs(pair[1]);

  StockCommand command = MakeStockCommand(launch);
  std::vector<char*> arguments = Pointers(command.arguments);
  std::vector<char*> environment = Pointers(command.environment);
  std::array<uv_stdio_container_t, 7> descriptors;
  const std::array<int, 7> ours = {null.get(),      null.get(),       null.get(),
                                   flow_read.get(), flow_write.get(), status_theirs.get(),
                                   listening_fd};
  for (std::size_t i = 0; i < ours.size(); ++i) {
    descriptors[i].flags = UV_INHERIT_FD;
    descriptors[i].data.fd = ours[i];
  }
  uv_process_options_t options{};
  options.file = launch.program.c_str();
  options.args = arguments.data();
  options.env = environment.data();
  options.cwd = launch.queue_directory.c_str();
  options.flags = UV_PROCESS_DETACHED;  // setsid(2)
  options.stdio_count = static_cast<int>(descriptors.size());
  options.stdio = descriptors.data();

  State* const state = state_.get();
  int result =
      state->process.Spawn(state->loop, options, [state](std::int64_t exit_status, int number) {
        state->ended = true;
        state->status.Close();
        state->process.Close();
        // May destroy `state`.
        const auto on_end = std::move(state->on_end);
        on_end(DescribeEnd(exit_status, number));
      });
  if (result != 0) return failed("cannot start " + launch.program, result);

  result =
      state->status.Open(state->loop, status_ours.get(),
                         [state](std::string_view, std::int64_t size) { state->OnStatus(size); });
  if (result == 0) {
    status_ours.Release();
    state->status.StartReading();
  }
  // Without the status socket (out of memory) stock sees the end of it and exits: an end like any
  // other.
  return 0;
}

void UvStockProcess::AskToEnd() { state_->status.Close(); }

void UvStockProcess::Signal(int number) {
  if (state_->process.is_open()) state_->process.Kill(number);
}

int UvStockProcess::pid() const { return state_->process.pid(); }

}  // namespace proxymux::proxy
