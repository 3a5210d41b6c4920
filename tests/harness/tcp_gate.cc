#include "tests/harness/tcp_gate.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "tests/harness/server_messages.h"
#include "tests/harness/socket.h"

namespace proxymux::harness {
namespace {

constexpr char kRow = 'D';
constexpr char kProcess = 'K';  // BackendKeyData
// What a server may send once a client has logged in, and what it asks for before.
constexpr std::string_view kTypes = "123ACDEGHIKNRSTVWZcdnstv";
// More than that is left in the kernel until the other side has taken it.
constexpr std::size_t kMostWaiting = 1 << 20;
constexpr int kNoDescriptor = -1;

// The bytes that are there, and whether the sender is still.
bool TakeWaiting(int fd, std::string* bytes) {
  char buffer[65536];
  const ssize_t count = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (count > 0) bytes->append(buffer, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

// How many of the bytes the kernel took; none when the receiver is gone.
std::optional<std::size_t> Give(int fd, std::string_view bytes) {
  const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return std::nullopt;
}

void SendAtOnce(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

struct TcpGate::Connection {
  struct Chunk {
    Time due;
    std::string bytes;
  };

  explicit Connection(int fd) : client(fd), server(kNoDescriptor) {}

  Socket client;
  Socket server;  // not connected while it is ignored
  std::string to_server;
  std::deque<Chunk> to_client;
  std::size_t waiting = 0;    // bytes in to_client
  std::optional<Stop> stop;   // set, not met yet
  std::optional<Ending> cut;  // asked for
  bool silent = false;
  bool half_closed = false;
  bool noise = false;
  ServerMessages messages;
};

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

bool TcpGate::Happens(double share) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < share;
}

char TcpGate::OtherType(char type) {
  const std::size_t last = kTypes.size() - 1;
  while (true) {
    const char other = kTypes[std::uniform_int_distribution<std::size_t>(0, last)(random_)];
    if (other != type) return other;
  }
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

bool TcpGate::Serve(Connection& connection, short client, short server, Time now) {
  if (const auto ending = std::exchange(connection.cut, std::nullopt)) {
    if (!End(connection, *ending)) return false;
  }
  if (!connection.server.open() && newcomers_ != Newcomers::kIgnored && !Connect(connection)) {
    return false;
  }
  // A client of PostgreSQL never ends one direction only.
  if ((client & (POLLRDHUP | POLLERR | POLLHUP)) != 0) return false;
  if (connection.silent || !connection.server.open()) return true;
  if ((client & POLLIN) != 0 && !TakeWaiting(connection.client.fd(), &connection.to_server)) {
    return false;
  }
  if (!connection.to_server.empty()) {
    const auto given =
        Give(connection.server.fd(), std::string_view(connection.to_server).substr(0, piece_));
    if (given.has_value()) connection.to_server.erase(0, *given);
  }
  bool server_ended = false;
  if ((server & (POLLIN | POLLERR | POLLHUP)) != 0) {
    std::string piece;
    server_ended = !TakeWaiting(connection.server.fd(), &piece);
    if (!piece.empty() && !connection.half_closed) FromServer(connection, std::move(piece), now);
  }
  return ToClient(connection, now) && !server_ended;
}

void TcpGate::AddGarbage(Connection& connection, std::string& piece) {
  std::uniform_int_distribution<int> any_byte(0, 255);
  if (!connection.noise && garbage_.has_value() && garbage_->damage == Damage::kNoise &&
      Happens(garbage_->share)) {
    connection.noise = true;
    ++noisy_;
    ++damaged_;
    const std::size_t begin = std::uniform_int_distribution<std::size_t>(0, piece.size())(random_);
    for (std::size_t i = begin; i < piece.size(); ++i)
      piece[i] = static_cast<char>(any_byte(random_));
  } else if (connection.noise) {
    for (char& byte : piece) byte = static_cast<char>(any_byte(random_));
  }
}

void TcpGate::FromServer(Connection& connection, std::string piece, Time now) {
  const auto touch = [&](ServerMessages::Part part, char& byte) {
    if (!garbage_.has_value() || connection.noise) return;
    if (garbage_->damage == Damage::kType && part == ServerMessages::Part::kType &&
        (garbage_->type == '\0' || garbage_->type == byte) && Happens(garbage_->share)) {
      byte = garbage_->becomes == '\0' ? OtherType(byte) : garbage_->becomes;
      ++damaged_;
    }
    // A length has four bytes, each of which is asked about.
    if (garbage_->damage == Damage::kLength && part == ServerMessages::Part::kLength &&
        Happens(garbage_->share / 4)) {
      byte = static_cast<char>(byte ^ 1 << std::uniform_int_distribution<int>(0, 7)(random_));
      ++damaged_;
    }
  };
  const auto found = [&](const ServerMessages::Header& header, std::size_t body_begin) {
    if (header.type == kProcess && last_process_.has_value() && body_begin + 4 <= piece.size()) {
      const std::uint32_t process = ++*last_process_;
      for (int i = 0; i < 4; ++i)
        piece[body_begin + i] = static_cast<char>(process >> (24 - 8 * i));
    }
    if (header.type != kRow) return;
    ++rows_;
    if (!connection.stop.has_value() || !connection.stop->in_row) return;
    connection.stop->in_row = false;
    connection.stop->after = connection.waiting + body_begin + header.body / 2;
  };
  connection.messages.Pass(piece, found, touch);
  AddGarbage(connection, piece);
  Time due = connection.to_client.empty() ? now : connection.to_client.back().due;
  if (delays_.has_value() && now >= next_delay_) {
    due = std::max(due, now + delays_->time);
    ++delayed_;
    ScheduleDelay(now);
  }
  connection.waiting += piece.size();
  connection.to_client.push_back({due, std::move(piece)});
}

void TcpGate::ScheduleDelay(Time now) {
  std::exponential_distribution<double> wait(1 / static_cast<double>(delays_->every.count()));
  next_delay_ = now + std::chrono::duration_cast<Time::duration>(
                          std::chrono::duration<double, std::milli>(wait(random_)));
}

// What is due and may pass.
bool TcpGate::ToClient(Connection& connection, Time now) {
  while (!connection.to_client.empty() && connection.to_client[0].due <= now) {
    std::string& bytes = connection.to_client[0].bytes;
    std::size_t most = bytes.size();
    const bool counted = connection.stop.has_value() && !connection.stop->in_row;
    if (counted) most = std::min(most, connection.stop->after);
    const auto given = Give(connection.client.fd(), std::string_view(bytes).substr(0, most));
    if (!given.has_value()) return false;
    bytes.erase(0, *given);
    connection.waiting -= *given;
    if (counted) connection.stop->after -= *given;
    if (bytes.empty()) connection.to_client.pop_front();
    if (*given < most) break;
    if (counted && connection.stop->after == 0) break;
  }
  if (!connection.stop.has_value() || connection.stop->in_row || connection.stop->after > 0) {
    return true;
  }
  const Ending ending = connection.stop->ending;
  connection.stop.reset();
  return End(connection, ending);
}

bool TcpGate::End(Connection& connection, Ending ending) {
  ++ended_;
  const int client = connection.client.fd();
  switch (ending) {
    case Ending::kSilence:
      connection.silent = true;
      return true;
    case Ending::kHalfClose:
      connection.half_closed = true;
      connection.to_client.clear();
      connection.waiting = 0;
      connection.client.ShutdownWrite();
      return true;
    case Ending::kReset: {
      const linger at_once{1, 0};
      ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      return false;
    }
    case Ending::kClose: {
      // With bytes unread the kernel would reset it.
      std::string unread;
      TakeWaiting(client, &unread);
      return false;
    }
  }
  return false;
}

}  // namespace proxymux::harness
