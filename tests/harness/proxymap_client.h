// A client of a proxymap service that asks one thing at a time, as Postfix daemons do, or sends
// whatever bytes a test wants.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/dialect.h"
#include "protocol/reply.h"
#include "protocol/request.h"
#include "tests/harness/installed_postfix.h"
#include "tests/harness/socket.h"

namespace proxymux::harness {

// The flags that Postfix 3.7's postmap sends with a lookup, after folding the key itself.
inline constexpr std::uint32_t kPostmapFlags = 524353;

struct Answer {
  enum class Kind {
    kReply,
    kEnd,    // closed by the server, which had read all that we sent
    kReset,  // closed by the server with something of ours unread
    kTimeout,
    kMalformed,  // a list that is no reply to what was asked
  };
  Kind kind = Kind::kReply;
  protocol::Status status = protocol::Status::kOk;
  std::uint32_t flags = 0;
  std::string value;

  bool Is(protocol::Status expected) const { return kind == Kind::kReply && status == expected; }
  bool IsValue(const std::string& expected) const {
    return Is(protocol::Status::kOk) && value == expected;
  }
};

// For messages of failed expectations: `OK "box1@store.example.net"`, `RETRY`, `connection ended`.
std::string Describe(const Answer& answer);

class ProxymapClient {
 public:
  // Connects and reads the greeting; throws std::runtime_error when either fails.
  explicit ProxymapClient(const std::string& path,
                          protocol::Dialect dialect = TheInstalledPostfix().dialect);

  Answer Open(const std::string& table, std::uint32_t flags = 0, milliseconds limit = seconds(30));
  Answer Lookup(const std::string& table, const std::string& key,
                std::uint32_t flags = kPostmapFlags, milliseconds limit = seconds(30));
  Answer Ask(const protocol::Operation& operation, milliseconds limit = seconds(30));

  // Only one half of Ask().
  bool Send(const protocol::Operation& operation);
  bool SendBytes(const std::string& bytes) { return socket_.Send(bytes); }
  Answer Receive(protocol::RequestKind kind, milliseconds limit = seconds(30));
  // The next whole list as bytes, or what there is when the connection ends or the limit passes.
  std::string ReceiveList(milliseconds limit = seconds(30));
  // True when the server closes the connection within the limit without a further byte.
  bool Closed(milliseconds limit = seconds(20));

  Socket& socket() { return socket_; }

 private:
  Socket socket_;
  protocol::Dialect dialect_;
  std::string pending_;
};

}  // namespace proxymux::harness
