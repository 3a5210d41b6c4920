// What passes on a connection through a gate, and how it is held up, damaged and ended.
#include "tests/harness/tcp_gate_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "tests/harness/server_messages.h"
#include "tests/harness/tcp_gate.h"

namespace proxymux::harness {
namespace {

constexpr char kRow = 'D';
constexpr char kProcess = 'K';  // BackendKeyData
// What a server may send once a client has logged in, and what it asks for before.
constexpr std::string_view kTypes = "123ACDEGHIKNRSTVWZcdnstv";

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

}  // namespace

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
