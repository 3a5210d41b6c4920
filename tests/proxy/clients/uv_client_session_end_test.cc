// The bounds of a session, and its end in each state that it may be in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "proxy/clients/uv_client_session.h"
#include "tests/proxy/clients/session_fixture.h"

namespace proxymux::proxy {
namespace {

using ::testing::HasSubstr;
using SessionEndTest = SessionFixture;

// --- bounds ---

TEST_F(SessionEndTest, ARequestOfTheLargestSizeIsAnsweredAndOneByteMoreClosesTheConnection) {
  Start();
  const std::size_t around = Lookup("").size();
  Send(Lookup(std::string(kMaxRequest - around, 'k')));
  Answer("box");
  EXPECT_EQ(Read(), "status=0 value=box");
  Send(Open(64) + Lookup(std::string(kMaxRequest - around + 1, 'k')));
  EXPECT_TRUE(ended_);
  EXPECT_EQ(Read(), OpenReply(64)) << "what came before it is answered";
  EXPECT_TRUE(AtEof());
  EXPECT_EQ(traffic_.closed_for_size, 1u);
  EXPECT_THAT(world_.lines.TakeText(), HasSubstr("more than 4096 bytes (max_request)"));
}

TEST_F(SessionEndTest, AnOversizedRequestIsRefusedHoweverItArrives) {
  Start();
  const std::string request = Lookup(std::string(2 * kMaxRequest, 'k'));
  for (std::size_t at = 0; at < request.size() && !ended_; at += 100)
    Write(request.substr(at, 100)), Turns();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(traffic_.closed_for_size, 1u);
}

TEST_F(SessionEndTest, WhatAClientSendsWhileItWaitsIsBounded) {
  Start();
  Send(Lookup("one"));
  std::size_t sent = 0;
  int idle = 0;
  const std::string request = Open(64);
  while (idle < 3) {
    const std::size_t taken = Write(std::string_view(request).substr(sent % request.size()));
    sent += taken;
    idle = taken == 0 ? idle + 1 : 0;
    Turns();
    ASSERT_LT(sent, 16u << 20);
  }
  EXPECT_LE(traffic_.bytes_read, Lookup("one").size() + kMaxRequest + (64u << 10));
  Answer("box");
  std::size_t replies = 0;
  while (true) {
    const std::string bytes = ReadBytes();
    Turns();
    if (bytes.empty()) break;
    replies += bytes.size();
  }
  EXPECT_EQ(replies, List({{"status", "0"}, {"value", "box"}}).size() +
                         sent / request.size() * List({{"status", "0"}, {"flags", "80"}}).size());
}

// --- drain, in each state ---

TEST_F(SessionEndTest, DrainEndsAnIdleSessionAtOnce) {
  Start(true);
  session_->Drain();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(ReadBytes(), kGreeting);
  EXPECT_TRUE(eof_);
}

TEST_F(SessionEndTest, DrainWaitsForTheAnswerUnderWay) {
  Start();
  Send(Lookup("one") + Lookup("two"));
  session_->Drain();
  EXPECT_FALSE(ended_);
  Answer("1");
  EXPECT_FALSE(ended_) << "the second one was read as well";
  Answer("2");
  EXPECT_TRUE(ended_);
  EXPECT_EQ(Read(), "status=0 value=1\nstatus=0 value=2");
}

TEST_F(SessionEndTest, DrainWaitsForTheRestOfARequestThatHasBegun) {
  Start();
  Send(Open(64).substr(0, 9));
  session_->Drain();
  EXPECT_FALSE(ended_);
  Send(Open(64).substr(9));
  EXPECT_EQ(Read(), OpenReply(64));
  EXPECT_TRUE(ended_);
}

TEST_F(SessionEndTest, DrainWaitsForAnAnswerThatIsBeingSent) {
  Start();
  Send(Lookup("one"));
  Answer(std::string(1000000, 'v'));
  session_->Drain();
  EXPECT_FALSE(ended_);
  std::string bytes;
  while (!eof_) {
    bytes += ReadBytes();
    Turns();
  }
  EXPECT_TRUE(ended_);
  EXPECT_GT(bytes.size(), 1000000u);
}

TEST_F(SessionEndTest, DrainOfAHalfClosedClientEndsWithItsAnswer) {
  Start();
  Send(Lookup("one"));
  shutdown(client_, SHUT_WR);
  Turns();
  session_->Drain();
  EXPECT_FALSE(ended_);
  Answer("1");
  EXPECT_TRUE(ended_);
  EXPECT_EQ(Read(), "status=0 value=1");
}

TEST_F(SessionEndTest, DrainOfAClientThatVanishesEnds) {
  Start();
  Send(Lookup("one"));
  session_->Drain();
  CloseClient();
  Turns();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

TEST_F(SessionEndTest, EndIsNowWhateverIsUnderWay) {
  Start();
  Send(Lookup("one"));
  session_->End();
  EXPECT_TRUE(ended_);
  session_->End();
  session_->Drain();
  Turns();
  EXPECT_EQ(ReadBytes(), "");
  EXPECT_TRUE(eof_);
  EXPECT_EQ(world_.coalescer.flights(), 0u);
}

TEST_F(SessionEndTest, ASessionMayBeDestroyedWhileItsReplyIsBeingSent) {
  Start();
  Send(Lookup("one"));
  Answer(std::string(1000000, 'v'));
  session_->End();
  session_.reset();
  Turns();
}

TEST_F(SessionEndTest, TheEndOfTheServiceAnswersEveryRequestThatWasRead) {
  Start();
  Send(Lookup("one") + Open(64));
  world_.coalescer.AnswerAll({pgsql::Outcome::kRetry, {}, "the service is ending"});
  EXPECT_EQ(Read(), "status=2 value=\n" + OpenReply(64));
}

}  // namespace
}  // namespace proxymux::proxy
