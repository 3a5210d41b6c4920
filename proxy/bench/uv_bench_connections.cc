#include "proxy/bench/uv_bench_connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "protocol/reply_parser.h"

namespace proxymux::proxy {
namespace {

// Connections opened and not yet greeted. Postfix's listen queues hold 100.
constexpr std::size_t kOpening = 50;
constexpr auto kRetryAfter = std::chrono::milliseconds(5);
constexpr auto kSoonWhenPaced = std::chrono::milliseconds(1);
// What was held up is not made up for beyond that.
constexpr std::int64_t kMostBehindNs = 5'000'000;
constexpr std::size_t kBufferSize = 256 << 10;
constexpr std::size_t kMaxReply = 256 << 20;

}  // namespace

UvBenchConnections::UvBenchConnections(uv_loop_t* loop, const std::string& path, bool greeting,
                                       std::size_t clients, Listener* listener)
    : loop_(loop),
      path_(path),
      greeting_(greeting),
      listener_(listener),
      clients_(clients),
      retry_(loop,
             [this] {
               retrying_ = false;
               OpenWaiting();
             }),
      buffer_(new char[kBufferSize]) {
  address_.sun_family = AF_UNIX;
  std::strncpy(address_.sun_path, path.c_str(), sizeof(address_.sun_path) - 1);
}

void UvBenchConnections::Open() {
  for (std::size_t i = 0; i < clients_.size(); ++i) waiting_.push_back(i);
  OpenWaiting();
}

void UvBenchConnections::Close() {
  waiting_.clear();
  retry_.Close();
  for (Client& client : clients_) {
    client.poll.Close();
    if (client.fd >= 0) close(client.fd);
    client.fd = -1;
    client.state = State::kApart;
  }
}

void UvBenchConnections::RetrySoon() {
  if (retrying_) return;
  retrying_ = true;
  retry_.Start(interval_ns_ > 0 ? kSoonWhenPaced : kRetryAfter);
}

void UvBenchConnections::OpenWaiting() {
  // Without a greeting the listener asks at once, and may find the connection closed again: those
  // that join the queue meanwhile have their turn later.
  for (std::size_t left = waiting_.size(); left > 0 && greeted_soon_ < kOpening; --left) {
    const std::size_t client = waiting_.front();
    if (!IsDue() || !OpenOne(client)) return RetrySoon();
    next_ += interval_ns_;
    waiting_.pop_front();
    if (!greeting_) listener_->OnConnected(client);
  }
}

bool UvBenchConnections::IsDue() {
  if (interval_ns_ == 0) return true;
  const auto now = static_cast<std::int64_t>(uv_hrtime());
  next_ = std::max(next_, now - kMostBehindNs);
  return next_ <= now;
}

bool UvBenchConnections::OpenOne(std::size_t index) {
  Client& client = clients_[index];
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = fd < 0 ? errno : 0;
  if (error == 0 && path_.size() >= sizeof(address_.sun_path)) error = ENAMETOOLONG;
  if (error == 0 &&
      connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) != 0) {
    error = errno;
  }
  if (error == 0) {
    error = -client.poll.Open(loop_, fd, [this, index](int, int) { OnReadable(index); });
  }
  if (error == 0) error = -client.poll.SetEvents(UV_READABLE);
  if (error != 0) {
    client.poll.Close();
    if (fd >= 0) close(fd);
    if (error != EAGAIN) last_error_ = std::strerror(error);
    return false;
  }
  ++connects_;
  client.fd = fd;
  client.state = greeting_ ? State::kGreeting : State::kConnected;
  if (greeting_) {
    ++greeted_soon_;
  } else {
    last_error_.clear();
  }
  return true;
}

void UvBenchConnections::OnReadable(std::size_t index) {
  Client& client = clients_[index];
  // Also when libuv reports an error: recv() says which.
  const ssize_t count = recv(client.fd, buffer_.get(), kBufferSize, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    const End end = count == 0 ? End::kClosed : End::kReset;
    if (client.state == State::kGreeting) {
      last_error_ = count == 0 ? "the service closes without a greeting" : std::strerror(errno);
    }
    const bool connected = client.state == State::kConnected;
    Give(index);
    if (connected) listener_->OnDisconnected(index, end);
    return;
  }
  const std::string_view bytes(buffer_.get(), static_cast<std::size_t>(count));
  if (client.pending.empty()) {
    if (!Take(index, bytes)) client.pending = bytes;
  } else {
    std::string all = std::move(client.pending);
    client.pending.clear();
    all.append(bytes);
    if (!Take(index, all)) client.pending = std::move(all);
  }
}

// False: no whole list yet. A service that sends more than it was asked for is not in form.
bool UvBenchConnections::Take(std::size_t index, std::string_view bytes) {
  Client& client = clients_[index];
  protocol::AttributeDecoder decoder(kMaxReply);
  protocol::AttributeList list;
  std::size_t size = 0;
  const auto result = decoder.Decode(bytes, &list, &size);
  if (result == protocol::AttributeDecoder::Result::kIncomplete) return false;
  if (result == protocol::AttributeDecoder::Result::kTooLong || size != bytes.size()) {
    Drop(index);
    return true;
  }
  if (client.state == State::kConnected) {
    listener_->OnReply(index, list);
    return true;
  }
  if (!protocol::IsGreeting(list)) {
    last_error_ = "what the service sends first is no greeting";
    Give(index);
    return true;
  }
  client.state = State::kConnected;
  last_error_.clear();
  --greeted_soon_;
  listener_->OnConnected(index);
  OpenWaiting();
  return true;
}

bool UvBenchConnections::Send(std::size_t index, std::string_view bytes) {
  const ssize_t sent = send(clients_[index].fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(bytes.size())) return true;
  Give(index);
  return false;
}

void UvBenchConnections::Drop(std::size_t index) {
  const bool connected = clients_[index].state == State::kConnected;
  Give(index);
  if (connected) listener_->OnDisconnected(index, End::kOurs);
}

void UvBenchConnections::Give(std::size_t index) {
  Client& client = clients_[index];
  if (client.state == State::kGreeting) --greeted_soon_;
  client.poll.Close();
  close(client.fd);
  client.fd = -1;
  client.pending.clear();
  client.state = State::kApart;
  waiting_.push_back(index);
  RetrySoon();
}

}  // namespace proxymux::proxy
