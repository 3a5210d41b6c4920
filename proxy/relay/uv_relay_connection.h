// One connection to a stock proxymap: the greeting, then one request and one reply at a time.
//
// It takes a connected descriptor over and tells its owner what comes in: the greeting, a complete
// reply, or that the connection is of no use any more (ended, error, a reply above the limit, bytes
// that nobody asked for). After on_closed nothing more is called. Destroying it closes the
// connection and gives up whatever is on the way. Callbacks never run from within a call to this
// object, and may destroy it.
#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"

namespace proxymux::proxy {

class UvRelayConnection {
 public:
  struct Callbacks {
    std::function<void()> on_greeting;
    // `head`: none when the reply has not the form that its request wants; it is one all the same.
    std::function<void(std::string reply, std::optional<protocol::ReplyHead> head)> on_reply;
    std::function<void(bool reply_begun, const std::string& reason)> on_closed;
  };

  // `max_reply`: bytes of one reply list; stock itself knows no limit.
  UvRelayConnection(uv_loop_t* loop, std::size_t max_reply, Callbacks callbacks);
  ~UvRelayConnection();
  UvRelayConnection(const UvRelayConnection&) = delete;
  UvRelayConnection& operator=(const UvRelayConnection&) = delete;

  // Takes `fd` over, also when it fails. Returns 0 or libuv's error. Without `expects_greeting`
  // (stock before Postfix 3.6 sends none) on_greeting comes in the loop's next turn.
  int Open(int fd, bool expects_greeting);

  // One complete attribute list; only after on_greeting, and after the reply to the one before.
  // `kind` and `dialect` are the request's: they say which form its reply has.
  void Send(std::string request, protocol::RequestKind kind, protocol::Dialect dialect);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace proxymux::proxy
