// Names and who asks for them, on a real libuv loop with a pool of one thread, which the tests keep
// busy when a question has to wait. The time is the tests' own.
#include "proxy/uv/uv_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/uv/uv_event_loop.h"
#include "tests/fakes/virtual_event_loop.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// A space is in no name: no server is asked.
constexpr char kNoName[] = "no such name";

// Something that another thread waits for.
class Event {
 public:
  void Happen() {
    const std::lock_guard lock(mutex_);
    happened_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return happened_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool happened_ = false;
};

// Libuv's only thread, busy until this is released or destroyed.
class BusyThread {
 public:
  BusyThread() {
    call_ = loop_.RunBlocking(
        [this] {
          begun_.Happen();
          released_.Wait();
        },
        [] {});
    begun_.Wait();
  }
  ~BusyThread() {
    released_.Happen();
    loop_.Run();
  }
  void Release() { released_.Happen(); }

 private:
  UvEventLoop loop_;
  Event begun_;
  Event released_;
  std::unique_ptr<pgsql::PendingCall> call_;
};

// What the thread was given before is done; the loops that gave it have not been told yet.
void WaitForTheThread() { const BusyThread behind_all_that; }

class UvNamesTest : public ::testing::Test {
 protected:
  UvNamesTest() {
    // Read once, when the pool is first used.
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    EXPECT_EQ(uv_loop_init(&uv_), 0);
    names_ = std::make_unique<UvNames>(&uv_, &time_);
  }
  ~UvNamesTest() override {
    uv_run(&uv_, UV_RUN_DEFAULT);
    names_.reset();
    EXPECT_EQ(uv_loop_close(&uv_), 0) << "a question was left behind";
  }

  // Who asks, and what they were told.
  struct Asker {
    std::unique_ptr<pgsql::PendingCall> call;
    std::vector<pgsql::ResolveResult> told;
    std::function<void()> then;
  };
  void Ask(Asker* asker, const std::string& host) {
    const std::size_t before = asker->told.size();
    asker->call = names_->Resolve(host, [asker](pgsql::ResolveResult result) {
      asker->told.push_back(std::move(result));
      if (asker->then) asker->then();
    });
    EXPECT_EQ(asker->told.size(), before) << "told from inside the call";
  }
  // The one question is answered, and nobody was told yet.
  void AnswerUntold() {
    ASSERT_EQ(Questions(), 1u);
    WaitForTheThread();
  }
  // Those that are with libuv.
  unsigned Questions() const { return uv_.active_reqs.count; }
  void RunAll() {
    uv_run(&uv_, UV_RUN_DEFAULT);
    time_.EndTurn();
  }

  uv_loop_t uv_;
  fakes::VirtualEventLoop time_;
  std::unique_ptr<UvNames> names_;
};

TEST_F(UvNamesTest, NumericAddressesAndTheHostsFileAreAnswered) {
  Asker four, six, local, none;
  Ask(&four, "192.0.2.7");
  Ask(&six, "2001:db8::7");
  Ask(&local, "localhost");
  Ask(&none, kNoName);
  EXPECT_EQ(Questions(), 4u);
  RunAll();
  for (const Asker* asker : {&four, &six, &local, &none}) ASSERT_EQ(asker->told.size(), 1u);
  EXPECT_THAT(four.told[0].addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(six.told[0].addresses, ElementsAre("2001:db8::7"));
  EXPECT_THAT(local.told[0].addresses, Contains(::testing::AnyOf("127.0.0.1", "::1")));
  EXPECT_EQ(local.told[0].error, "");
  EXPECT_THAT(none.told[0].addresses, IsEmpty());
  EXPECT_NE(none.told[0].error, "");
}

TEST_F(UvNamesTest, WhoAskForTheSameNameAtOnceShareOneQuestion) {
  Asker first, second, other;
  {
    const BusyThread busy;
    Ask(&first, "localhost");
    Ask(&second, "localhost");
    EXPECT_EQ(Questions(), 1u);
    Ask(&other, "192.0.2.7");
    EXPECT_EQ(Questions(), 2u) << "another name is another question";
  }
  RunAll();
  ASSERT_EQ(first.told.size(), 1u);
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_THAT(first.told[0].addresses, Not(IsEmpty()));
  EXPECT_EQ(second.told[0].addresses, first.told[0].addresses);
  ASSERT_EQ(other.told.size(), 1u);
  EXPECT_THAT(other.told[0].addresses, ElementsAre("192.0.2.7"));
}

TEST_F(UvNamesTest, AFailureIsToldToAllWhoShareTheQuestion) {
  Asker first, second;
  Ask(&first, kNoName);
  Ask(&second, kNoName);
  RunAll();
  ASSERT_EQ(first.told.size(), 1u);
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_NE(first.told[0].error, "");
  EXPECT_EQ(second.told[0].error, first.told[0].error);
}

TEST_F(UvNamesTest, AnAnswerThatWasToldIsNotKept) {
  Asker first, second;
  Ask(&first, "localhost");
  RunAll();
  Ask(&second, "localhost");
  EXPECT_EQ(Questions(), 1u) << "the address may be another one by now";
  RunAll();
  EXPECT_EQ(second.told.size(), 1u);
}

TEST_F(UvNamesTest, WhoLeavesBeforeTheAnswerIsNotToldTheOthersAre) {
  Asker first, second;
  Ask(&first, "localhost");
  Ask(&second, "localhost");
  first.call.reset();
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_THAT(first.told, IsEmpty());
  ASSERT_EQ(second.told.size(), 1u);
  EXPECT_THAT(second.told[0].addresses, Not(IsEmpty()));
}

TEST_F(UvNamesTest, WhoIsToldMayMakeAnotherLeaveAndAskAgain) {
  Asker first, second, again;
  first.then = [&] {
    first.call.reset();
    second.call.reset();
    Ask(&again, "localhost");
    EXPECT_EQ(Questions(), 1u) << "what was answered is over";
  };
  Ask(&first, "localhost");
  Ask(&second, "localhost");
  RunAll();
  EXPECT_EQ(first.told.size(), 1u);
  EXPECT_THAT(second.told, IsEmpty());
  EXPECT_EQ(again.told.size(), 1u);
}

TEST_F(UvNamesTest, WhatEveryoneLeftBeforeAThreadTookItIsNotAsked) {
  Asker gone, next;
  {
    const BusyThread busy;
    Ask(&gone, "localhost");
    gone.call.reset();
    uv_run(&uv_, UV_RUN_NOWAIT);  // the thread is busy
    EXPECT_EQ(Questions(), 0u);
    Ask(&gone, "localhost");
    gone.call.reset();
    Ask(&next, "localhost");  // the one that was given up is not told yet
  }
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  ASSERT_EQ(next.told.size(), 1u);
  EXPECT_THAT(next.told[0].addresses, Not(IsEmpty()));
}

TEST_F(UvNamesTest, AnAnswerThatCameWhenAllHadLeftIsForTheNextWhoAsks) {
  Asker gone, next, after;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  time_.Advance(UvNames::kKept - milliseconds(1));
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 0u) << "it was asked again";
  time_.EndTurn();
  ASSERT_EQ(next.told.size(), 1u);
  EXPECT_THAT(next.told[0].addresses, Contains(::testing::AnyOf("127.0.0.1", "::1")));
  Ask(&after, "localhost");
  EXPECT_EQ(Questions(), 1u) << "it was for one only";
  RunAll();
  EXPECT_EQ(after.told.size(), 1u);
}

TEST_F(UvNamesTest, AnAnswerForNobodyIsForgottenInTime) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  time_.Advance(UvNames::kKept);
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 1u) << "an old address";
  RunAll();
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(UvNamesTest, AFailureForNobodyIsNotKept) {
  Asker gone, next;
  Ask(&gone, kNoName);
  AnswerUntold();
  gone.call.reset();
  RunAll();
  Ask(&next, kNoName);
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(UvNamesTest, WhoComesAfterAllHadLeftWaitsForTheQuestionThatAThreadHas) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  Ask(&next, "localhost");
  EXPECT_EQ(Questions(), 1u);
  RunAll();
  EXPECT_THAT(gone.told, IsEmpty());
  EXPECT_EQ(next.told.size(), 1u);
}

TEST_F(UvNamesTest, WhoLeavesAKeptAnswerIsNotTold) {
  Asker gone, next;
  Ask(&gone, "localhost");
  AnswerUntold();
  gone.call.reset();
  RunAll();
  Ask(&next, "localhost");
  next.call.reset();
  RunAll();
  EXPECT_THAT(next.told, IsEmpty());
}

// As at the end of the process: the loop goes with it.
TEST_F(UvNamesTest, TheEndTellsNobodyOfWhatIsStillAsked) {
  const auto fail = [](pgsql::ResolveResult) { ADD_FAILURE() << "it was given up"; };
  {
    UvEventLoop answered;
    auto call = answered.Resolve("localhost", fail);
    WaitForTheThread();
    call.reset();
  }
  BusyThread busy;
  {
    UvEventLoop waiting;
    auto call = waiting.Resolve("localhost", fail);
    auto same = waiting.Resolve("localhost", fail);
    call.reset();
    same.reset();
  }
  busy.Release();
}

}  // namespace
}  // namespace proxymux::proxy
