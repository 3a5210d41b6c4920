#include "tests/harness/wire_recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "tests/harness/socket.h"

namespace proxymux::harness {

WireRecorder::WireRecorder(const std::string& path) : path_(path) {
  if (::rename(path.c_str(), (path + ".server").c_str()) != 0) {
    throw std::runtime_error("no socket to record: " + path);
  }
  listener_ = ListenUnix(path);
  if (::pipe2(wake_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  thread_ = std::thread([this] { Run(); });
}

WireRecorder::~WireRecorder() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  if (::write(wake_[1], "x", 1) == 1) thread_.join();
  Take();
  ::close(listener_);
  ::close(wake_[0]);
  ::close(wake_[1]);
  ::rename((path_ + ".server").c_str(), path_.c_str());
}

bool WireRecorder::WaitUntilQuiet(milliseconds quiet, milliseconds limit) {
  return Eventually(
      [&] {
        const std::lock_guard lock(mutex_);
        for (const auto& conversation : conversations_) {
          if (conversation.turns.empty() ||
              conversation.turns.back().sender == golden::Sender::kClient)
            return false;
        }
        return std::chrono::steady_clock::now() - last_passed_ >= quiet;
      },
      limit);
}

std::vector<golden::Conversation> WireRecorder::Take() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) {
    ::close(connection.client);
    ::close(connection.server);
  }
  connections_.clear();
  return std::move(conversations_);
}

void WireRecorder::Run() {
  while (true) {
    std::vector<pollfd> waits = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      for (const auto& connection : connections_) {
        waits.push_back({connection.client, POLLIN, 0});
        waits.push_back({connection.server, POLLIN, 0});
      }
    }
    // A short limit: Take() may have closed what we wait for.
    ::poll(waits.data(), waits.size(), 20);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = connections_.size(); i-- > 0;) {
      Connection& connection = connections_[i];
      if (Pass(connection, connection.client, connection.server, golden::Sender::kClient) &&
          Pass(connection, connection.server, connection.client, golden::Sender::kServer)) {
        continue;
      }
      ::close(connection.client);
      ::close(connection.server);
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if ((waits[1].revents & POLLIN) != 0) Accept();
  }
}

void WireRecorder::Accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  Socket server = Socket::ConnectUnix(path_ + ".server");
  connections_.push_back({client, ::dup(server.fd()), conversations_.size()});
  golden::Conversation conversation;
  conversation.number = static_cast<int>(conversations_.size()) + 1;
  conversations_.push_back(std::move(conversation));
}

bool WireRecorder::Pass(Connection& connection, int from, int to, golden::Sender sender) {
  char buffer[65536];
  const ssize_t count = ::recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (count < 0) return true;
  if (count == 0) return false;
  last_passed_ = std::chrono::steady_clock::now();
  std::string bytes(buffer, static_cast<std::size_t>(count));
  const bool sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == count;
  conversations_[connection.conversation].turns.push_back({sender, std::move(bytes)});
  return sent;
}

}  // namespace proxymux::harness
