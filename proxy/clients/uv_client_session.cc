#include "proxy/clients/uv_client_session.h"

#include <poll.h>

#include <cassert>

namespace proxymux::proxy {
namespace {

// Replies to requests that came in one read are sent together, up to this.
constexpr std::size_t kSendAfter = 64 << 10;

// Buffers that one large request or reply has grown are given back.
constexpr std::size_t kKeptCapacity = 4 << 10;

void GiveBack(std::string* buffer) {
  if (buffer->empty() && buffer->capacity() > kKeptCapacity) std::string().swap(*buffer);
}

}  // namespace

// What the kernel did not take at once; lives until libuv has sent it or given it up.
struct UvClientSession::WriteRequest {
  uv_write_t request;
  std::string bytes;
  UvClientSession* session;
  std::weak_ptr<void> alive;
};

UvClientSession::UvClientSession(uv_loop_t* loop, int fd, Limits limits, RequestRouter* router,
                                 MessageLog* log, SessionTraffic* traffic,
                                 std::function<void(UvClientSession*)> on_end)
    : loop_(loop),
      fd_(fd),
      limits_(limits),
      log_(log),
      traffic_(traffic),
      on_end_(std::move(on_end)),
      decoder_(limits.max_request),
      conversation_(router, this),
      alive_(std::make_shared<char>()) {}

UvClientSession::~UvClientSession() { assert(ended_); }

void UvClientSession::Start() {
  if (pipe_.Open(loop_, fd_, [this](std::string_view bytes, std::int64_t status) {
        OnRead(bytes, status);
      }) != 0) {
    End();
    return;
  }
  if (limits_.greeting) {
    protocol::AppendGreeting(&outbox_);
    Send();
  }
  if (!ended_) Settle();
}

void UvClientSession::OnRead(std::string_view bytes, std::int64_t status) {
  if (status < 0) {
    input_ended_ = true;
    // Somebody who only closed the sending side still reads: every request that was read is
    // answered.
    if (status != UV_EOF || Idle() || ClientIsGone()) {
      End();
      return;
    }
    Settle();
    return;
  }
  traffic_->bytes_read += bytes.size();
  if (inbox_.empty()) {
    const std::size_t used = ProcessLists(bytes);
    if (!ended_) inbox_.append(bytes.substr(used));
    if (!ended_) Settle();
    return;
  }
  inbox_.append(bytes);
  ProcessInbox();
}

bool UvClientSession::ClientIsGone() const {
  pollfd descriptor{fd_, POLLOUT, 0};
  return poll(&descriptor, 1, 0) == 1 && (descriptor.revents & (POLLHUP | POLLERR)) != 0;
}

void UvClientSession::ProcessInbox() {
  const std::size_t used = ProcessLists(inbox_);
  if (ended_) return;
  inbox_.erase(0, used);
  GiveBack(&inbox_);
  Settle();
}

std::size_t UvClientSession::ProcessLists(std::string_view bytes) {
  std::size_t used = 0;
  while (!ended_ && !conversation_.pending() && write_pending_ == 0) {
    protocol::AttributeList list;
    std::size_t size = 0;
    const auto result = decoder_.Decode(bytes.substr(used), &list, &size);
    if (result == protocol::AttributeDecoder::Result::kIncomplete) break;
    if (result == protocol::AttributeDecoder::Result::kTooLong) {
      ++traffic_->closed_for_size;
      log_->LimitedWarning("oversized requests",
                           "a client sent a request of more than " +
                               std::to_string(limits_.max_request) +
                               " bytes (max_request): its connection is closed");
      Send();
      if (!ended_) End();
      return bytes.size();
    }
    const Handled handled = conversation_.Handle(bytes.substr(used, size), list, &outbox_);
    used += size;
    if (handled == Handled::kReplied && outbox_.size() >= kSendAfter) Send();
  }
  if (!ended_) Send();
  return used;
}

void UvClientSession::OnReply(std::string_view reply) {
  outbox_.append(reply);
  Send();
  if (!ended_) ProcessInbox();
}

void UvClientSession::Send() {
  if (outbox_.empty() || write_pending_ > 0) return;
  uv_buf_t buffer = uv_buf_init(outbox_.data(), static_cast<unsigned>(outbox_.size()));
  const int sent = uv_try_write(pipe_.stream(), &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN) {
    End();  // the client is gone, and with it the one who waited
    return;
  }
  if (sent > 0) traffic_->bytes_written += static_cast<std::size_t>(sent);
  if (sent == static_cast<int>(outbox_.size())) {
    outbox_.clear();
    GiveBack(&outbox_);
    return;
  }
  auto* request = new WriteRequest;
  request->bytes = outbox_.substr(sent > 0 ? static_cast<std::size_t>(sent) : 0);
  request->session = this;
  request->alive = alive_;
  request->request.data = request;
  outbox_.clear();
  GiveBack(&outbox_);
  write_pending_ = request->bytes.size();
  buffer = uv_buf_init(request->bytes.data(), static_cast<unsigned>(request->bytes.size()));
  const int result =
      uv_write(&request->request, pipe_.stream(), &buffer, 1, [](uv_write_t* handle, int status) {
        const std::unique_ptr<WriteRequest> owned(static_cast<WriteRequest*>(handle->data));
        if (!owned->alive.expired()) owned->session->OnWritten(owned->bytes.size(), status);
      });
  if (result != 0) {
    delete request;
    End();
  }
}

void UvClientSession::OnWritten(std::size_t bytes, int status) {
  if (ended_) return;
  write_pending_ = 0;
  if (status != 0) {
    End();
    return;
  }
  traffic_->bytes_written += bytes;
  Send();
  if (!ended_) ProcessInbox();
}

bool UvClientSession::Idle() const {
  return !conversation_.pending() && inbox_.empty() && outbox_.empty() && write_pending_ == 0;
}

// After anything has happened: ends a session that has nothing left to do, and reads or does not.
void UvClientSession::Settle() {
  const bool answered = !conversation_.pending() && outbox_.empty() && write_pending_ == 0;
  // What is left in the inbox then is the beginning of a request.
  if (answered && (input_ended_ || (draining_ && inbox_.empty()))) {
    End();
    return;
  }
  const bool want = !input_ended_ && inbox_.size() < limits_.max_request;
  if (want == reading_) return;
  reading_ = want;
  if (want) {
    pipe_.StartReading();
  } else {
    pipe_.StopReading();
  }
}

void UvClientSession::Drain() {
  draining_ = true;
  if (!ended_) Settle();
}

void UvClientSession::GiveUpHalfRequest() {
  const bool answered = !conversation_.pending() && outbox_.empty() && write_pending_ == 0;
  if (draining_ && answered) End();
}

void UvClientSession::End() {
  if (ended_) return;
  ended_ = true;
  conversation_.Cancel();
  pipe_.Close();
  on_end_(this);
}

}  // namespace proxymux::proxy
