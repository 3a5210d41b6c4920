#include "tests/harness/name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace proxymux::harness {
namespace {

// RFC 1035.
constexpr std::size_t kHeader = 12;
constexpr std::size_t kTypeAndClass = 4;
constexpr char kTypeA = 1;
constexpr unsigned char kIsResponse = 0x80;
constexpr unsigned char kRecursionAvailable = 0x80;
constexpr unsigned char kServFail = 2;
constexpr unsigned char kNoSuchName = 3;

struct Question {
  std::string name;  // labels with dots between
  char type = 0;
  std::size_t end = 0;  // of the question in the message
};

// False when it is none that a resolver would send.
bool Parse(const std::string& message, Question* question) {
  std::size_t at = kHeader;
  while (at < message.size() && message[at] != 0) {
    const auto length = static_cast<unsigned char>(message[at]);
    if (length > 63 || at + 1 + length >= message.size()) return false;
    if (!question->name.empty()) question->name += '.';
    question->name += message.substr(at + 1, length);
    at += 1 + length;
  }
  if (at + 1 + kTypeAndClass > message.size()) return false;
  question->type = message[at + 2];
  question->end = at + 1 + kTypeAndClass;
  return true;
}

}  // namespace

NameServer::NameServer() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(53);
  if (socket_ < 0 || stop_ < 0 ||
      ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("name server: " + std::string(std::strerror(errno)));
  }
  thread_ = std::thread([this] { Run(); });
}

NameServer::~NameServer() {
  const std::uint64_t one = 1;
  if (::write(stop_, &one, sizeof(one)) < 0) std::terminate();
  thread_.join();
  ::close(stop_);
  ::close(socket_);
}

void NameServer::SetAddress(const std::string& name, const std::string& address) {
  in_addr bytes{};
  if (::inet_pton(AF_INET, address.c_str(), &bytes) != 1) {
    throw std::runtime_error("not an IPv4 address: " + address);
  }
  const std::lock_guard lock(mutex_);
  addresses_[name] = std::string(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

void NameServer::SetManner(Manner manner, milliseconds delay) {
  const std::lock_guard lock(mutex_);
  manner_ = manner;
  delay_ = delay;
}

std::string NameServer::AnswerTo(const std::string& message) {
  Question question;
  if (message.size() < kHeader || !Parse(message, &question)) return "";
  if (question.type == kTypeA) ++questions_;
  if (manner_ == Manner::kSilent) return "";
  std::string answer = message.substr(0, question.end);
  answer[2] = static_cast<char>(answer[2] | kIsResponse);
  answer[3] = static_cast<char>(kRecursionAvailable);
  for (std::size_t count = 6; count < kHeader; ++count) answer[count] = 0;
  const auto known = addresses_.find(question.name);
  if (manner_ == Manner::kFails) {
    answer[3] = static_cast<char>(kRecursionAvailable | kServFail);
  } else if (known == addresses_.end()) {
    answer[3] = static_cast<char>(kRecursionAvailable | kNoSuchName);
  } else if (question.type == kTypeA) {
    answer[7] = 1;
    // The name by its place in the message, A, IN, no time to live, four bytes.
    static constexpr char kRecord[] = {'\xc0', kHeader, 0, kTypeA, 0, 1, 0, 0, 0, 0, 0, 4};
    answer.append(kRecord, sizeof(kRecord)).append(known->second);
  }
  return answer;
}

void NameServer::Run() {
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Due {
    std::string bytes;
    sockaddr_in to;
  };
  std::multimap<SteadyTime, Due> answers;
  while (true) {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!answers.empty() && answers.begin()->first <= now) {
      const Due& due = answers.begin()->second;
      // Who asked may be gone.
      static_cast<void>(::sendto(socket_, due.bytes.data(), due.bytes.size(), MSG_DONTWAIT,
                                 reinterpret_cast<const sockaddr*>(&due.to), sizeof(due.to)));
      answers.erase(answers.begin());
    }
    int wait = -1;
    if (!answers.empty()) {
      wait =
          static_cast<int>(std::chrono::ceil<milliseconds>(answers.begin()->first - now).count());
    }
    pollfd ready[] = {{socket_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (::poll(ready, 2, wait) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    char buffer[1500];
    Due due{};
    socklen_t length = sizeof(due.to);
    const ssize_t count = ::recvfrom(socket_, buffer, sizeof(buffer), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&due.to), &length);
    if (count <= 0) continue;
    const std::lock_guard lock(mutex_);
    due.bytes = AnswerTo(std::string(buffer, static_cast<std::size_t>(count)));
    if (!due.bytes.empty()) answers.emplace(std::chrono::steady_clock::now() + delay_, due);
  }
}

}  // namespace proxymux::harness
