#include "tests/harness/proxymap_client.h"

#include <stdexcept>

#include "protocol/attribute_codec.h"
#include "protocol/reply_parser.h"
#include "protocol/request_encoder.h"

namespace proxymux::harness {
namespace {

// A value of 20 MB has been seen in the wild; tests stay below.
constexpr std::size_t kLongestReply = 64 << 20;

}  // namespace

std::string Describe(const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::kReply: {
      std::string text(protocol::StatusName(answer.status));
      return answer.value.empty() ? text : text + " \"" + answer.value + "\"";
    }
    case Answer::Kind::kEnd:
      return "connection ended";
    case Answer::Kind::kReset:
      return "connection reset";
    case Answer::Kind::kTimeout:
      return "no answer in time";
    case Answer::Kind::kMalformed:
      return "malformed reply";
  }
  return "?";
}

ProxymapClient::ProxymapClient(const std::string& path, protocol::Dialect dialect)
    : socket_(Socket::ConnectUnix(path)), dialect_(dialect) {
  std::string greeting;
  protocol::AppendGreeting(&greeting);
  const std::string got = ReceiveList();
  if (got != greeting) throw std::runtime_error("no greeting at " + path);
}

Answer ProxymapClient::Open(const std::string& table, std::uint32_t flags, milliseconds limit) {
  return Ask(protocol::OpenRequest{table, flags}, limit);
}

Answer ProxymapClient::Lookup(const std::string& table, const std::string& key, std::uint32_t flags,
                              milliseconds limit) {
  return Ask(protocol::LookupRequest{table, flags, flags, key}, limit);
}

Answer ProxymapClient::Ask(const protocol::Operation& operation, milliseconds limit) {
  Send(operation);  // when it fails the reason is found in reading
  return Receive(protocol::KindOf(operation), limit);
}

bool ProxymapClient::Send(const protocol::Operation& operation) {
  std::string bytes;
  protocol::AppendRequest({dialect_, 0, operation}, &bytes);
  return socket_.Send(bytes);
}

Answer ProxymapClient::Receive(protocol::RequestKind kind, milliseconds limit) {
  const Deadline deadline(limit);
  protocol::AttributeDecoder decoder(kLongestReply);
  Answer answer;
  while (true) {
    protocol::AttributeList list;
    std::size_t size = 0;
    if (decoder.Decode(pending_, &list, &size) == protocol::AttributeDecoder::Result::kList) {
      const auto reply = protocol::ParseReply(list, kind, dialect_);
      if (reply) {
        answer.status = reply->status;
        answer.flags = reply->flags;
        answer.value = std::string(reply->value);
      } else {
        answer.kind = Answer::Kind::kMalformed;
      }
      pending_.erase(0, size);
      return answer;
    }
    switch (socket_.Receive(pending_, milliseconds(deadline.Left()))) {
      case Socket::Received::kBytes:
        continue;
      case Socket::Received::kEnd:
        answer.kind = Answer::Kind::kEnd;
        return answer;
      case Socket::Received::kReset:
        answer.kind = Answer::Kind::kReset;
        return answer;
      case Socket::Received::kTimeout:
        answer.kind = Answer::Kind::kTimeout;
        return answer;
    }
  }
}

std::string ProxymapClient::ReceiveList(milliseconds limit) {
  const Deadline deadline(limit);
  protocol::AttributeDecoder decoder(kLongestReply);
  while (true) {
    protocol::AttributeList list;
    std::size_t size = 0;
    const bool whole =
        decoder.Decode(pending_, &list, &size) == protocol::AttributeDecoder::Result::kList;
    if (!whole &&
        socket_.Receive(pending_, milliseconds(deadline.Left())) == Socket::Received::kBytes) {
      continue;
    }
    std::string bytes = pending_.substr(0, whole ? size : pending_.size());
    pending_.erase(0, bytes.size());
    return bytes;
  }
}

bool ProxymapClient::Closed(milliseconds limit) {
  const auto received = socket_.Receive(pending_, limit);
  return pending_.empty() &&
         (received == Socket::Received::kEnd || received == Socket::Received::kReset);
}

}  // namespace proxymux::harness
