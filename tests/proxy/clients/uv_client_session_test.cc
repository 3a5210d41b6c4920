// What a client sends and gets over a real socket: requests however they arrive, clients that
// leave, clients that do not read.
#include "proxy/clients/uv_client_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/proxy/clients/session_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using UvClientSessionTest = SessionFixture;

// --- what is said, and what is not ---

TEST_F(UvClientSessionTest, TheGreetingComesFirstAndUnasked) {
  Start(true);
  EXPECT_EQ(ReadBytes(), kGreeting);
  Send(Open(64));
  EXPECT_EQ(Read(), OpenReply(64));
  EXPECT_FALSE(AtEof());
}

TEST_F(UvClientSessionTest, WithoutTheGreetingNothingIsSentUnasked) {
  Start(false);
  EXPECT_EQ(ReadBytes(), "");
  Send(Lookup("user"));
  EXPECT_EQ(ReadBytes(), "");
  Answer("box");
  EXPECT_EQ(Read(), "status=0 value=box");
  EXPECT_EQ(ReadBytes(), "");
  EXPECT_FALSE(ended_);
}

TEST_F(UvClientSessionTest, AClientThatIsGoneBeforeTheGreetingEndsItsSession) {
  CloseClient();
  Start(true);
  EXPECT_TRUE(ended_);
}

// --- how requests may arrive ---

TEST_F(UvClientSessionTest, ARequestMayArriveByteByByte) {
  Start();
  const std::string request = Open(64);
  for (const char byte : request) {
    EXPECT_EQ(ReadBytes(), "");
    Send(std::string(1, byte));
  }
  EXPECT_EQ(Read(), OpenReply(64));
}

TEST_F(UvClientSessionTest, ARequestMayBeSplitAnywhere) {
  Start();
  const std::string requests = Open(1) + Open(2);
  for (std::size_t at = 1; at < requests.size(); ++at) {
    Send(requests.substr(0, at));
    Send(requests.substr(at));
    EXPECT_EQ(Read(), OpenReply(1) + "\n" + OpenReply(2)) << at;
  }
}

TEST_F(UvClientSessionTest, PipelinedRequestsAreAnsweredInOrderWhateverTheyWaitFor) {
  Start();
  Send(Open(1) + Lookup("one") + Lookup("root", "unix:passwd.byname") + Open(2) + Lookup("two") +
       std::string(1, '\0') + Lookup("") + Open(4).substr(0, 10));
  EXPECT_EQ(Read(), OpenReply(1)) << "what is known is not held back";
  Answer("1");
  EXPECT_EQ(Read(), "status=0 value=1");
  ASSERT_EQ(world_.relay.count(), 1u);
  world_.relay.Reply(0, List({{"status", "1"}, {"value", ""}}));
  Turns();
  EXPECT_EQ(Read(), "status=1 value=\n" + OpenReply(2));
  Answer("2");
  EXPECT_EQ(Read(), "status=0 value=2\nstatus=1 value=");
  Send(Open(4).substr(10));
  EXPECT_EQ(Read(), OpenReply(4));
}

TEST_F(UvClientSessionTest, ALongTrainOfRequestsIsAnsweredToTheLast) {
  Start();
  std::string train;
  for (int i = 0; i < 50; ++i) train += Lookup("key" + std::to_string(i));
  ASSERT_LT(train.size(), 64u << 10);
  Send(train);
  std::string replies;
  for (int i = 0; i < 50; ++i) {
    Answer("v" + std::to_string(i));
    EXPECT_EQ(Read(), "status=0 value=v" + std::to_string(i));
  }
  EXPECT_EQ(traffic_.bytes_read, train.size());
}

TEST_F(UvClientSessionTest, WhatIsNoRequestIsSkippedAndTheNextIsAnswered) {
  Start();
  Send(std::string(3, '\0') + List({{"colour", "blue"}}) + Open(64));
  EXPECT_EQ(Read(), OpenReply(64));
}

// --- clients that leave ---

TEST_F(UvClientSessionTest, AnIdleClientThatLeavesEndsItsSession) {
  Start();
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
}

TEST_F(UvClientSessionTest, AHalfClosedClientStillGetsItsAnswers) {
  Start();
  Send(Lookup("one") + Lookup("two"));
  shutdown(client_, SHUT_WR);
  Turns();
  EXPECT_FALSE(ended_);
  Answer("1");
  EXPECT_FALSE(ended_);
  Answer("2");
  EXPECT_TRUE(ended_);
  EXPECT_EQ(Read(), "status=0 value=1\nstatus=0 value=2");
  EXPECT_TRUE(AtEof());
}

TEST_F(UvClientSessionTest, AHalfClosedClientWithNothingAskedOrHalfARequestIsDone) {
  Start();
  Send(Open(64) + Open(64).substr(0, 7));
  shutdown(client_, SHUT_WR);
  Turns();
  EXPECT_EQ(Read(), OpenReply(64));
  EXPECT_TRUE(ended_);
}

TEST_F(UvClientSessionTest, AVanishedClientHasItsLookupCancelled) {
  Start();
  Send(Lookup("one"));
  EXPECT_EQ(world_.coalescer.flights(), 1u);
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

TEST_F(UvClientSessionTest, AVanishedClientHasItsRelayedRequestGivenUp) {
  Start();
  Send(Lookup("root", "unix:passwd.byname"));
  EXPECT_TRUE(world_.relay.asked(0).wanted);
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
  EXPECT_FALSE(world_.relay.asked(0).wanted);
}

TEST_F(UvClientSessionTest, AClientThatVanishesWithAnswersUnreadIsNotMourned) {
  Start();
  Send(Open(1) + Lookup("one") + Open(2));
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

// --- clients that do not read ---

TEST_F(UvClientSessionTest, AClientThatNeverReadsIsHeldUpAndGetsEverythingLater) {
  Start();
  const std::string request = Open(0x7FFFFFFF);
  std::size_t sent = 0;
  int idle = 0;
  // Until neither we nor the kernel takes any more.
  while (idle < 3) {
    const std::size_t taken = Write(std::string_view(request).substr(sent % request.size()));
    sent += taken;
    idle = taken == 0 ? idle + 1 : 0;
    Turns();
    ASSERT_LT(sent, 64u << 20) << "nothing holds this client up";
  }
  EXPECT_FALSE(ended_);
  std::string bytes;
  while (true) {
    const std::string more = ReadBytes();
    Turns();
    if (more.empty()) break;
    bytes += more;
  }
  const std::string reply = List({{"status", "0"}, {"flags", "2147483647"}});
  EXPECT_EQ(bytes.size(), sent / request.size() * reply.size());
  EXPECT_EQ(bytes.compare(0, reply.size(), reply), 0);
  EXPECT_EQ(traffic_.bytes_written, bytes.size());
  if (sent % request.size() != 0) Send(request.substr(sent % request.size()));
  Send(Open(64));
  EXPECT_THAT(Read(), HasSubstr(OpenReply(64)));
}

TEST_F(UvClientSessionTest, ALargeValueReachesASlowReaderWhole) {
  Start();
  Send(Lookup("one") + Open(64));
  const std::string value(1000000, 'v');
  Answer(value);
  std::string bytes;
  while (bytes.size() < value.size()) {
    char buffer[1000];
    const ssize_t size = read(client_, buffer, sizeof(buffer));
    if (size > 0) bytes.append(buffer, static_cast<std::size_t>(size));
    if (size < 0) Turns();
  }
  Turns();
  bytes += ReadBytes();
  EXPECT_EQ(bytes,
            List({{"status", "0"}, {"value", value}}) + List({{"status", "0"}, {"flags", "80"}}));
}

TEST_F(UvClientSessionTest, AReaderThatGivesUpInTheMiddleOfALargeValueEndsItsSession) {
  Start();
  Send(Lookup("one"));
  Answer(std::string(1000000, 'v'));
  EXPECT_FALSE(ended_);
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
}

TEST_F(UvClientSessionTest, AHalfClosedSlowReaderGetsTheRestBeforeTheEnd) {
  Start();
  Send(Lookup("one"));
  shutdown(client_, SHUT_WR);
  Answer(std::string(1000000, 'v'));
  EXPECT_FALSE(ended_);
  std::string bytes;
  while (!eof_) {
    bytes += ReadBytes();
    Turns();
  }
  EXPECT_TRUE(ended_);
  EXPECT_GT(bytes.size(), 1000000u);
}

}  // namespace
}  // namespace proxymux::proxy
