// One client's connection: bytes in, requests to the router, replies out, in order.
//
// Requests are taken one at a time; while one is under way what the client sends meanwhile is kept,
// up to a bound, and then left in the socket. A reply that the client does not read stops its
// requests and nothing else. Nothing is ever sent that was not asked for, apart from the greeting.
//
// A client that is gone has its request cancelled. One that has only closed its sending side gets
// its answers first.
#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/attribute_codec.h"
#include "proxy/requests/conversation.h"
#include "proxy/requests/request_router.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

struct SessionTraffic {
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t closed_for_size = 0;
};

class UvClientSession final : private ReplySink {
 public:
  struct Limits {
    std::size_t max_request;  // bytes of one list
    bool greeting;
  };

  // `on_end` is called once, when the session is over; it may come from inside a call to the
  // session, which must therefore be destroyed later, at the end of the loop's turn.
  UvClientSession(uv_loop_t* loop, int fd, Limits limits, RequestRouter* router, MessageLog* log,
                  SessionTraffic* traffic, std::function<void(UvClientSession*)> on_end);

  ~UvClientSession() override;
  UvClientSession(const UvClientSession&) = delete;
  UvClientSession& operator=(const UvClientSession&) = delete;

  void Start();

  // No further request is read, except the rest of one that has begun to arrive. The session ends
  // as soon as every request that was read has been answered.
  void Drain();

  // Ends a draining session that waits for the rest of a request only: it was not read, and its
  // client asks again.
  void GiveUpHalfRequest();

  // Now, whatever is under way.
  void End();

 private:
  void OnReply(std::string_view reply) override;

  struct WriteRequest;

  void OnRead(std::string_view bytes, std::int64_t status);
  bool ClientIsGone() const;
  std::size_t ProcessLists(std::string_view bytes);
  void ProcessInbox();
  void Send();
  void OnWritten(std::size_t bytes, int status);
  void Settle();
  bool Idle() const;

  uv_loop_t* const loop_;
  const int fd_;
  const Limits limits_;
  MessageLog* const log_;
  SessionTraffic* const traffic_;
  std::function<void(UvClientSession*)> on_end_;

  UvPipe pipe_;
  protocol::AttributeDecoder decoder_;
  Conversation conversation_;
  std::string inbox_;              // read and not yet handled
  std::string outbox_;             // to be sent
  std::size_t write_pending_ = 0;  // bytes that the kernel has not taken yet
  std::shared_ptr<void> alive_;    // tells a late write callback whether the session still stands
  bool reading_ = false;
  bool input_ended_ = false;
  bool draining_ = false;
  bool ended_ = false;
};

}  // namespace proxymux::proxy
