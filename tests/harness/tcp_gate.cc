#include "tests/harness/tcp_gate.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/harness/socket.h"
#include "tests/harness/tcp_gate_connection.h"

namespace proxymux::harness {
namespace {

// More than that is left in the kernel until the other side has taken it.
constexpr std::size_t kMostWaiting = 1 << 20;

void SendAtOnce(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

TcpGate::TcpGate(int server_port) : server_port_(server_port) {
  if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe for a gate");
  Listen(true);
  thread_ = std::thread([this] { Run(); });
}

TcpGate::~TcpGate() {
  Command([&] { stop_thread_ = true; });
  thread_.join();
  Listen(false);
  for (const int fd : wake_) ::close(fd);
}

template <typename Change>
void TcpGate::Command(Change change) {
  const std::lock_guard lock(mutex_);
  change();
  // Full: then the thread is about to wake up anyway.
  static_cast<void>(::write(wake_[1], "x", 1) == 1);
}

void TcpGate::Open() {
  Command([&] {
    stop_.reset();
    garbage_.reset();
    delays_.reset();
    newcomers_ = Newcomers::kServed;
    for (const auto& connection : connections_) {
      connection->stop.reset();
      connection->silent = false;
    }
  });
}

void TcpGate::StopAt(const Stop& stop) {
  Command([&] {
    stop_ = stop;
    for (const auto& connection : connections_) connection->stop = stop;
  });
}

void TcpGate::Send(const Garbage& garbage) {
  Command([&] {
    garbage_ = garbage;
    random_.seed(garbage.seed);
  });
}

void TcpGate::Delay(const Delays& delays) {
  Command([&] {
    delays_ = delays;
    random_.seed(delays.seed);
    ScheduleDelay(std::chrono::steady_clock::now());
  });
}

void TcpGate::SetPieces(std::size_t bytes) {
  Command([&] { piece_ = bytes; });
}

void TcpGate::CountProcesses() {
  Command([&] { last_process_ = 0; });
}

void TcpGate::SetNewcomers(Newcomers newcomers) {
  Command([&] { newcomers_ = newcomers; });
}

void TcpGate::Cut(Ending ending) {
  Command([&] {
    for (const auto& connection : connections_) connection->cut = ending;
  });
}

// The same port each time. A socket that was shut down does not listen again.
void TcpGate::Listen(bool on) {
  if (!on && listener_ >= 0) ::close(std::exchange(listener_, -1));
  if (!on || listener_ >= 0) return;
  listener_ = ListenTcp(port_);
  port_ = PortOf(listener_);
}

void TcpGate::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_thread_) {
    Listen(newcomers_ != Newcomers::kRefused);
    std::vector<pollfd> waits = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    const Time before = std::chrono::steady_clock::now();
    for (const auto& connection : connections_) {
      const bool passes = !connection->silent && connection->server.open();
      const bool sends = !connection->to_client.empty() && connection->to_client[0].due <= before;
      short client = POLLRDHUP;
      if (passes && connection->to_server.size() < kMostWaiting) client |= POLLIN;
      if (passes && sends) client |= POLLOUT;
      short server = 0;
      if (connection->waiting < kMostWaiting) server |= POLLIN;
      if (!connection->to_server.empty()) server |= POLLOUT;
      waits.push_back({connection->client.fd(), client, 0});
      waits.push_back({passes ? connection->server.fd() : kNoDescriptor, server, 0});
    }
    const int timeout = Timeout(before);
    lock.unlock();
    ::poll(waits.data(), waits.size(), timeout);
    lock.lock();
    if (waits[0].revents != 0) {
      char bytes[64];
      while (::read(wake_[0], bytes, sizeof(bytes)) > 0) {
      }
    }
    const Time now = std::chrono::steady_clock::now();
    for (std::size_t i = connections_.size(); i-- > 0;) {
      Connection& connection = *connections_[i];
      if (Serve(connection, waits[2 + 2 * i].revents, waits[3 + 2 * i].revents, now)) continue;
      if (connection.noise) --noisy_;
      --open_;
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if ((waits[1].revents & POLLIN) != 0) Accept();
  }
}

int TcpGate::Timeout(Time now) const {
  Time next = Time::max();
  for (const auto& connection : connections_) {
    if (connection->silent || connection->to_client.empty()) continue;
    const Time due = connection->to_client[0].due;
    if (due > now) next = std::min(next, due);
  }
  if (next == Time::max()) return -1;
  return static_cast<int>(std::chrono::ceil<milliseconds>(next - now).count());
}

void TcpGate::Accept() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  SendAtOnce(fd);
  auto connection = std::make_unique<Connection>(fd);
  ++accepted_;
  if (newcomers_ != Newcomers::kIgnored && !Connect(*connection)) return;
  connection->stop = stop_;
  connections_.push_back(std::move(connection));
  ++open_;
}

// False when nobody is there; the client's connection ends, as the server would do it.
bool TcpGate::Connect(Connection& connection) const {
  try {
    connection.server = Socket::ConnectTcp(server_port_);
  } catch (const std::runtime_error&) {
    return false;
  }
  SendAtOnce(connection.server.fd());
  return true;
}

}  // namespace proxymux::harness
