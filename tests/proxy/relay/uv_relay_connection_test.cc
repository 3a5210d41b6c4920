// The connection to stock against a peer that does what stock never should, and what a stream may
// do.
#include "proxy/relay/uv_relay_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace proxymux::proxy {
namespace {

using std::string_literals::operator""s;

const std::string kGreeting = "protocol\0proxymap_protocol\0\0"s;
const std::string kRequest = "request\0open\0table\0unix:passwd.byname\0flags\0000\0\0"s;
const std::string kReply = "status\0000\0flags\00016\0\0"s;
constexpr std::size_t kMaxReply = 100;

class UvRelayConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(uv_loop_init(&loop_), 0);
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    peer_ = pair[1];
    connection_ = std::make_unique<UvRelayConnection>(
        &loop_, kMaxReply,
        UvRelayConnection::Callbacks{
            [this] { events_.push_back("greeting"); },
            [this](std::string reply, std::optional<protocol::ReplyHead> head) {
              events_.push_back("reply " + reply);
              head_ = head;
            },
            [this](bool begun, const std::string& reason) {
              events_.push_back((begun ? "cut: " : "closed: ") + reason);
              connection_.reset();  // as its owner does
            }});
    ours_ = pair[0];
  }
  void TearDown() override {
    connection_.reset();
    if (peer_ >= 0) close(peer_);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  void Open(bool expects_greeting = true) {
    ASSERT_EQ(connection_->Open(ours_, expects_greeting), 0);
  }
  void OpenAndGreet() {
    Open();
    Write(kGreeting);
    ASSERT_EQ(Events(), (std::vector<std::string>{"greeting"}));
  }
  void Write(const std::string& bytes) {
    ASSERT_EQ(write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    Turn();
  }
  void ClosePeer() {
    close(std::exchange(peer_, -1));
    Turn();
  }
  void Turn() {
    uv_run(&loop_, UV_RUN_NOWAIT);
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  std::vector<std::string> Events() { return std::exchange(events_, {}); }
  std::string OnlyEvent() {
    const auto events = Events();
    return events.size() == 1 ? events[0] : "events: " + std::to_string(events.size());
  }
  std::string WhatThePeerGot() {
    char buffer[4096];
    const ssize_t size = read(peer_, buffer, sizeof buffer);
    return size < 0 ? "" : std::string(buffer, static_cast<std::size_t>(size));
  }

  uv_loop_t loop_;
  int ours_ = -1;
  int peer_ = -1;
  std::unique_ptr<UvRelayConnection> connection_;
  std::vector<std::string> events_;
  std::optional<protocol::ReplyHead> head_;  // of the last reply
};

TEST_F(UvRelayConnectionTest, ForwardsTheRequestAndHandsBackTheReplyByteForByte) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Turn();
  EXPECT_EQ(WhatThePeerGot(), kRequest);
  Write(kReply);
  EXPECT_EQ(OnlyEvent(), "reply " + kReply);
}

TEST_F(UvRelayConnectionTest, TellsTheStatusOfAReplyInTheFormThatTheRequestWants) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Write("status\0003\0flags\0000\0\0"s);
  ASSERT_TRUE(head_.has_value());
  EXPECT_EQ(head_->status, protocol::Status::kBad);
  connection_->Send(kRequest, protocol::RequestKind::kLookup, protocol::Dialect::kLegacy);
  Write(kReply);
  EXPECT_EQ(Events().size(), 2u) << "handed on in any case";
  EXPECT_FALSE(head_.has_value());
}

TEST_F(UvRelayConnectionTest, ListsMayArriveByteByByte) {
  Open();
  for (const char c : kGreeting) Write(std::string(1, c));
  EXPECT_EQ(OnlyEvent(), "greeting");
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  for (const char c : kReply) Write(std::string(1, c));
  EXPECT_EQ(OnlyEvent(), "reply " + kReply);
}

TEST_F(UvRelayConnectionTest, StockBefore36IsSentTheRequestWithoutAGreeting) {
  Open(false);
  Turn();
  EXPECT_EQ(OnlyEvent(), "greeting");
}

TEST_F(UvRelayConnectionTest, AnotherServersGreetingIsRefused) {
  Open();
  Write("protocol\0trivial_rewrite_protocol\0\0"s);
  EXPECT_NE(OnlyEvent().find("no proxymap"), std::string::npos);
}

TEST_F(UvRelayConnectionTest, AGreetingWithMoreInItIsRefusedAsPostfixsClientsDo) {
  Open();
  Write("protocol\0proxymap_protocol\0more\0\0\0"s);
  EXPECT_NE(OnlyEvent().find("no proxymap"), std::string::npos);
}

TEST_F(UvRelayConnectionTest, EndBeforeAnyByteOfTheReplyIsToldFromOneInTheMiddle) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Turn();
  WhatThePeerGot();
  ClosePeer();
  EXPECT_EQ(OnlyEvent(), "closed: connection closed");
}

TEST_F(UvRelayConnectionTest, EndInTheMiddleOfTheReplyIsTold) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Turn();
  WhatThePeerGot();
  Write("status\0"s);
  ClosePeer();
  EXPECT_EQ(OnlyEvent(), "cut: connection closed");
}

TEST_F(UvRelayConnectionTest, ReplyThatWasSentBeforeTheEndIsRead) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Turn();
  WhatThePeerGot();
  ASSERT_EQ(write(peer_, kReply.data(), kReply.size()), static_cast<ssize_t>(kReply.size()));
  ClosePeer();
  const auto events = Events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0], "reply " + kReply);
  EXPECT_EQ(events[1], "closed: connection closed");
}

TEST_F(UvRelayConnectionTest, ReplyAboveTheLimitEndsTheConnection) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Write("value\0"s + std::string(kMaxReply, 'x'));
  EXPECT_EQ(OnlyEvent(), "cut: its reply is too long");
}

TEST_F(UvRelayConnectionTest, BytesThatNobodyAskedForEndTheConnection) {
  OpenAndGreet();
  Write(kReply);
  EXPECT_NE(OnlyEvent().find("nobody asked for"), std::string::npos);
}

TEST_F(UvRelayConnectionTest, TwoListsInPlaceOfOneAreNoReply) {
  OpenAndGreet();
  connection_->Send(kRequest, protocol::RequestKind::kOpen, protocol::Dialect::kLegacy);
  Write(kReply + kReply);
  EXPECT_NE(OnlyEvent().find("more than was asked for"), std::string::npos);
}

}  // namespace
}  // namespace proxymux::proxy
