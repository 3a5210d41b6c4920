#include "proxy/relay/uv_relay_connection.h"

#include <unistd.h>

#include <cassert>
#include <string_view>
#include <utility>

#include "protocol/attribute_codec.h"
#include "protocol/reply_parser.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

// Shared with the callbacks in progress and the write under way, which may outlive the owner.
struct UvRelayConnection::State : std::enable_shared_from_this<UvRelayConnection::State> {
  enum class Phase { kGreeting, kIdle, kReply, kClosed };

  State(std::size_t max_reply, Callbacks its_callbacks)
      : callbacks(std::move(its_callbacks)), decoder(max_reply) {}

  void SetPhase(Phase next) { phase = next; }

  void Close(const std::string& reason) {
    if (phase == Phase::kClosed) return;
    const bool reply_begun = phase == Phase::kReply && !received.empty();
    Quiet();
    callbacks.on_closed(reply_begun, reason);
  }

  void Quiet() {
    SetPhase(Phase::kClosed);
    pipe.Close();
    turn.Close();
  }

  void OnRead(std::string_view bytes, std::int64_t result) {
    const auto keep = shared_from_this();
    if (result < 0) {
      Close(result == UV_EOF ? "connection closed" : uv_strerror(static_cast<int>(result)));
      return;
    }
    if (phase == Phase::kIdle) {
      Close("the stock proxymap sent something that nobody asked for");
      return;
    }
    received += bytes;
    protocol::AttributeList list;
    std::size_t size = 0;
    switch (decoder.Decode(received, &list, &size)) {
      case protocol::AttributeDecoder::Result::kIncomplete:
        return;
      case protocol::AttributeDecoder::Result::kTooLong:
        Close("its reply is too long");
        return;
      case protocol::AttributeDecoder::Result::kList:
        break;
    }
    if (size < received.size()) {
      // Nothing of it can be trusted: which of the two lists is the reply?
      Close("the stock proxymap sent more than was asked for");
      return;
    }
    if (phase == Phase::kGreeting) {
      if (!protocol::IsGreeting(list)) {
        Close("what listens there is no proxymap: its greeting is another's");
        return;
      }
      received.clear();
      SetPhase(Phase::kIdle);
      callbacks.on_greeting();
      return;
    }
    std::optional<protocol::ReplyHead> head;
    if (const auto reply = protocol::ParseReply(list, kind, dialect)) {
      head = {reply->status, reply->flags};
    }
    SetPhase(Phase::kIdle);
    callbacks.on_reply(std::exchange(received, {}), head);
  }

  Callbacks callbacks;
  protocol::AttributeDecoder decoder;
  std::string received;
  UvPipe pipe;
  UvTimer turn;
  Phase phase = Phase::kGreeting;
  // Of the request that was sent last.
  protocol::RequestKind kind = protocol::RequestKind::kUnknown;
  protocol::Dialect dialect = protocol::Dialect::kLegacy;
};

UvRelayConnection::UvRelayConnection(uv_loop_t* loop, std::size_t max_reply, Callbacks callbacks)
    : state_(std::make_shared<State>(max_reply, std::move(callbacks))) {
  state_->turn = UvTimer(loop, [state = state_.get()] {
    const auto keep = state->shared_from_this();
    if (state->phase != State::Phase::kGreeting) return;
    state->SetPhase(State::Phase::kIdle);
    state->callbacks.on_greeting();
  });
}

UvRelayConnection::~UvRelayConnection() { state_->Quiet(); }

int UvRelayConnection::Open(int fd, bool expects_greeting) {
  State* const state = state_.get();
  int result = state->pipe.Open(
      state->turn.get()->loop, fd,
      [state](std::string_view bytes, std::int64_t size) { state->OnRead(bytes, size); });
  if (result != 0) {
    close(fd);
    return result;
  }
  result = state->pipe.StartReading();
  if (result == 0 && !expects_greeting) state->turn.Start(std::chrono::milliseconds(0));
  return result;
}

void UvRelayConnection::Send(std::string request, protocol::RequestKind kind,
                             protocol::Dialect dialect) {
  assert(state_->phase == State::Phase::kIdle);
  state_->kind = kind;
  state_->dialect = dialect;
  state_->SetPhase(State::Phase::kReply);
  struct Write {
    uv_write_t request{};
    std::string bytes;
  };
  auto* const write = new Write;
  write->bytes = std::move(request);
  write->request.data = write;
  const uv_buf_t buffer =
      uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  // A peer that is gone also ends the reading side, which tells it after what the peer sent before.
  const int result =
      uv_write(&write->request, state_->pipe.stream(), &buffer, 1,
               [](uv_write_t* done, int) { delete static_cast<Write*>(done->data); });
  if (result != 0) delete write;
}

}  // namespace proxymux::proxy
