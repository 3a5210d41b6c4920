#include "tests/bench/bare_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <map>

#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "proxy/process/descriptor_limit.h"

namespace proxymux::bench {
namespace {

// A client has one.
constexpr std::size_t kDescriptors = 16384;

std::string Greeting() {
  std::string greeting;
  protocol::AppendGreeting(&greeting);
  return greeting;
}

std::string Answer() {
  std::string answer;
  protocol::AppendReply(
      protocol::RequestKind::kLookup, protocol::Dialect::kLegacy,
      {.status = protocol::Status::kOk, .flags = 0, .key = {}, .value = "box1@store.example.net"},
      &answer);
  return answer;
}

void WatchInput(const harness::Socket& epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll.fd(), EPOLL_CTL_ADD, fd, &event);
}

// What the kernel does not take of so little is lost, and is missed by the client.
void Write(int fd, const std::string& bytes) {
  [[maybe_unused]] const ssize_t written = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

BareServer::BareServer(const std::string& path)
    : listener_(harness::ListenUnix(path)), wake_(eventfd(0, EFD_NONBLOCK)) {
  proxy::RaiseDescriptorLimit(kDescriptors);
  thread_ = std::thread([this] { Run(); });
}

BareServer::~BareServer() {
  eventfd_write(wake_.fd(), 1);
  thread_.join();
}

void BareServer::Run() {
  const harness::Socket epoll(epoll_create1(0));
  WatchInput(epoll, listener_.fd());
  WatchInput(epoll, wake_.fd());
  const std::string greeting = Greeting();
  const std::string answer = Answer();
  std::map<int, harness::Socket> clients;
  std::array<epoll_event, 1024> events;
  std::array<char, 4096> request;
  while (true) {
    const int count = epoll_wait(epoll.fd(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == wake_.fd()) return;
      if (fd == listener_.fd()) {
        const int client = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) continue;
        clients.emplace(client, client);
        WatchInput(epoll, client);
        Write(client, greeting);
      } else if (read(fd, request.data(), request.size()) > 0) {
        Write(fd, answer);
      } else {
        clients.erase(fd);
      }
    }
  }
}

}  // namespace proxymux::bench
