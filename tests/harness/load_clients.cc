#include "tests/harness/load_clients.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>

#include "protocol/attribute_codec.h"
#include "protocol/reply_parser.h"
#include "protocol/request_encoder.h"
#include "tests/harness/latency_log.h"
#include "tests/harness/mail_schema.h"
#include "tests/harness/proxymap_client.h"
#include "tests/harness/socket.h"

namespace proxymux::harness {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

double Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct LoadClients::Client {
  enum class State { kApart, kGreeting, kIdle, kAsked };
  State state = State::kApart;
  int fd = -1;
  std::string table_name;
  std::string table;
  std::string received;
  MailLookup lookup;
  bool ask_again = false;  // `lookup` was not read: the same once more
  SteadyTime asked;
  SteadyTime next_attempt{};  // to connect
};

// All that happens on the thread.
class LoadClients::Engine {
 public:
  explicit Engine(LoadClients& owner)
      : owner_(owner),
        options_(owner.options_),
        random_(owner.options_.seed),
        row_(1, options_.users),
        address_(UnixAddress(options_.socket)) {
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options_.clients; ++i) {
      Client client;
      client.table_name = options_.tables[static_cast<std::size_t>(i) % options_.tables.size()];
      client.table = "pgsql:" + options_.config_directory + "/" + client.table_name;
      clients_.push_back(std::move(client));
    }
  }
  ~Engine() {
    for (auto& client : clients_) Close(client);
    ::close(poll_);
  }

  LoadReport Run() {
    const SteadyTime start = Now();
    last_answer_ = start;
    SteadyTime give_up = SteadyTime::max();
    while (true) {
      if (owner_.finish_ && give_up == SteadyTime::max()) give_up = Now() + owner_.finish_limit_;
      const bool finishing = give_up != SteadyTime::max();
      bool waiting = false;
      SteadyTime oldest = Now();  // lookup on its way
      for (auto& client : clients_) {
        if (client.state == Client::State::kApart && !finishing && client.next_attempt <= Now()) {
          Connect(client);
        }
        if (client.state != Client::State::kAsked) continue;
        waiting = true;
        oldest = std::min(oldest, client.asked);
      }
      owner_.all_answered_of_ = oldest.time_since_epoch().count();
      if (finishing && (!waiting || Now() >= give_up)) break;
      epoll_event events[256];
      const int count = ::epoll_wait(poll_, events, 256, 5);
      for (int i = 0; i < count; ++i) {
        Read(clients_[events[i].data.u32], finishing);
      }
    }
    for (auto& client : clients_) {
      if (client.state == Client::State::kAsked) Count(report_.lost, true);
      if (client.state != Client::State::kApart) ++report_.connected;
    }
    report_.elapsed_seconds = Milliseconds(Now() - start) / 1000;
    static_cast<LatencyLog::Percentiles&>(report_) = latencies_.Tell(WatchedFrom());
    return report_;
  }

 private:
  void Connect(Client& client) {
    client.fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const auto* address = reinterpret_cast<const sockaddr*>(&address_);
    if (client.fd < 0 || ::connect(client.fd, address, sizeof(address_)) != 0) {
      // Nobody there, or a full listen queue: soon again.
      if (client.fd >= 0) ::close(client.fd);
      client.fd = -1;
      client.next_attempt = Now() + milliseconds(10);
      return;
    }
    ++report_.connects;
    ++owner_.connected_;
    client.state = Client::State::kGreeting;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(&client - clients_.data());
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, client.fd, &event);
  }

  void Close(Client& client) {
    if (client.fd < 0) return;
    ::close(client.fd);
    client.fd = -1;
    client.received.clear();
    client.state = Client::State::kApart;
    client.next_attempt = Now() + milliseconds(1);
    --owner_.connected_;
  }

  void Ask(Client& client) {
    if (!client.ask_again) client.lookup = LookupIn(client.table_name, row_(random_));
    client.ask_again = false;
    std::string bytes;
    protocol::AppendRequest(
        {options_.dialect, 0,
         protocol::LookupRequest{client.table, kPostmapFlags, kPostmapFlags, client.lookup.key}},
        &bytes);
    client.asked = Now();
    client.state = Client::State::kAsked;
    if (::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) Unread(client);
  }

  void Unread(Client& client) {
    ++report_.unread;
    client.ask_again = true;
    Close(client);
  }

  void Read(Client& client, bool finishing) {
    if (client.fd < 0) return;
    char buffer[16384];
    const ssize_t count = ::recv(client.fd, buffer, sizeof(buffer), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      if (client.state != Client::State::kAsked) return Close(client);
      if (count < 0) return Unread(client);
      Count(report_.lost, true);
      return Close(client);
    }
    client.received.append(buffer, static_cast<std::size_t>(count));
    protocol::AttributeDecoder decoder(1 << 24);
    protocol::AttributeList list;
    std::size_t size = 0;
    if (decoder.Decode(client.received, &list, &size) !=
        protocol::AttributeDecoder::Result::kList) {
      return;
    }
    if (client.state == Client::State::kGreeting) {
      if (!protocol::IsGreeting(list)) Count(report_.fatal, true);
    } else {
      Check(client, list);
    }
    client.received.erase(0, size);
    client.state = Client::State::kIdle;
    if (!finishing) Ask(client);
  }

  void Check(Client& client, const protocol::AttributeList& list) {
    const SteadyTime now = Now();
    latencies_.Add(now - client.asked, now, WatchedFrom());
    report_.longest_silence_ms =
        std::max(report_.longest_silence_ms, Milliseconds(now - last_answer_));
    last_answer_ = now;
    const auto reply = protocol::ParseReply(list, protocol::RequestKind::kLookup, options_.dialect);
    if (!reply) return Count(report_.fatal, true);
    switch (reply->status) {
      case protocol::Status::kOk:
        if (reply->value != client.lookup.value) return CountWrong(client, reply->value);
        ++owner_.answered_;
        return Count(report_.answered, false);
      case protocol::Status::kNoKey:
        return CountWrong(client, "not found");
      case protocol::Status::kRetry:
        return Count(report_.retry, true);
      case protocol::Status::kConfig:
        return Count(report_.config, true);
      case protocol::Status::kBad:
      case protocol::Status::kDeny:
        return Count(report_.fatal, true);
    }
  }

  std::optional<SteadyTime> WatchedFrom() const {
    const SteadyTime begin{SteadyTime::duration(owner_.watched_from_)};
    return begin == SteadyTime{} ? std::nullopt : std::optional(begin);
  }

  void Count(std::uint64_t& counter, bool failure) {
    ++counter;
    if (failure) ++owner_.failed_;
  }

  void CountWrong(const Client& client, std::string_view answer) {
    Count(report_.wrong, true);
    if (report_.first_wrong.empty()) {
      report_.first_wrong =
          client.table_name + ' ' + client.lookup.key + ": " + std::string(answer);
    }
  }

  LoadClients& owner_;
  const LoadOptions& options_;
  std::mt19937 random_;
  std::uniform_int_distribution<int> row_;
  int poll_;
  const sockaddr_un address_;
  std::vector<Client> clients_;
  LatencyLog latencies_;
  SteadyTime last_answer_;
  LoadReport report_;
};

std::string LoadReport::Text() const {
  std::ostringstream text;
  text << "answered=" << answered << " wrong=" << wrong << " retry=" << retry
       << " config=" << config << " fatal=" << fatal << " lost=" << lost << " unread=" << unread
       << " connects=" << connects;
  char rates[200];
  std::snprintf(rates, sizeof(rates),
                " seconds=%.2f per_second=%.0f p50_ms=%.2f p99_ms=%.2f max_ms=%.1f silence_ms=%.1f",
                elapsed_seconds,
                elapsed_seconds > 0 ? static_cast<double>(answered) / elapsed_seconds : 0, p50_ms,
                p99_ms, max_ms, longest_silence_ms);
  return text.str() + rates + (first_wrong.empty() ? "" : " wrong answer: " + first_wrong);
}

LoadClients::LoadClients(LoadOptions options) : options_(std::move(options)) {
  if (options_.tables.empty()) throw std::runtime_error("load without tables");
  RaiseDescriptorLimit();
  thread_ = std::thread([this] { report_ = Engine(*this).Run(); });
}

LoadClients::~LoadClients() {
  if (thread_.joinable()) Finish(milliseconds(0));
}

LoadReport LoadClients::Finish(milliseconds limit) {
  finish_limit_ = limit;
  finish_ = true;
  if (thread_.joinable()) thread_.join();
  return report_;
}

bool LoadClients::WaitForAnswers(std::uint64_t more, milliseconds limit) const {
  const std::uint64_t goal = answered_ + more;
  return Eventually([&] { return answered_ >= goal; }, limit);
}

bool LoadClients::WaitForThoseOnTheWay(milliseconds limit) const {
  const auto now = Now().time_since_epoch().count();
  return Eventually([&] { return all_answered_of_ > now; }, limit);
}

}  // namespace proxymux::harness
