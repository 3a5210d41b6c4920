// Threads that have something done on the loop.
#include "proxy/admin/loop_calls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class LoopCallsTest : public ::testing::Test {
 protected:
  void OnLoop() {
    EXPECT_EQ(std::this_thread::get_id(), loop_thread_);
    ++done_;  // without a lock: one at a time
  }
  // Called by the threads that ask, when they are done.
  void OneLess() {
    if (--asking_ == 0) all_asked_.Send();
  }

  const std::thread::id loop_thread_ = std::this_thread::get_id();
  UvEventLoop loop_;
  int done_ = 0;
  std::atomic<int> asking_{0};
  UvAsync all_asked_;
};

TEST_F(LoopCallsTest, EveryCallIsMadeOnceByTheLoopsThreadBeforeItsCallerGoesOn) {
  auto calls = std::make_unique<LoopCalls>(loop_.uv());
  all_asked_.Open(loop_.uv(), [this] { loop_.Stop(); });
  asking_ = 8;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      int mine = 0;
      for (int n = 0; n < 100; ++n) {
        EXPECT_TRUE(calls->Do(
            [&] {
              OnLoop();
              ++mine;
            },
            minutes(10)));
        EXPECT_EQ(mine, n + 1);
      }
      OneLess();
    });
  }
  loop_.Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done_, 800);
  calls.reset();
  all_asked_.Close();
}

TEST_F(LoopCallsTest, WhatTheLoopDidNotBeginInTimeIsNeverDone) {
  auto calls = std::make_unique<LoopCalls>(loop_.uv());
  all_asked_.Open(loop_.uv(), [this] { loop_.Stop(); });
  std::thread([&] { EXPECT_FALSE(calls->Do([this] { OnLoop(); }, milliseconds(1))); }).join();
  asking_ = 1;
  std::thread asker([&] {
    int other = 0;
    EXPECT_TRUE(calls->Do([&] { ++other; }, minutes(10)));
    EXPECT_EQ(other, 1);
    OneLess();
  });
  loop_.Run();
  asker.join();
  EXPECT_EQ(done_, 0);
  calls.reset();
  all_asked_.Close();
}

// The limit is for the beginning: what has begun may not be taken back any more.
TEST_F(LoopCallsTest, WhatHasBegunIsWaitedFor) {
  auto calls = std::make_unique<LoopCalls>(loop_.uv());
  all_asked_.Open(loop_.uv(), [this] { loop_.Stop(); });
  asking_ = 1;
  std::thread asker([&] {
    const auto asked = std::chrono::steady_clock::now();
    const auto limit = milliseconds(200);
    const auto work = [&] {
      while (std::chrono::steady_clock::now() < asked + 2 * limit) std::this_thread::yield();
      OnLoop();
    };
    // On a machine so busy that the loop does not even begin in that time it says so.
    const bool was_done = calls->Do(work, limit);
    EXPECT_EQ(was_done, done_ == 1);
    OneLess();
  });
  loop_.Run();
  asker.join();
  calls.reset();
  all_asked_.Close();
}

TEST_F(LoopCallsTest, ClosingLetsTheWaitingGo) {
  LoopCalls calls(loop_.uv());
  std::atomic<bool> about_to_ask{false};
  std::thread asker([&] {
    about_to_ask = true;
    about_to_ask.notify_one();
    EXPECT_FALSE(calls.Do([this] { OnLoop(); }, minutes(60)));
  });
  about_to_ask.wait(false);
  calls.Close();  // before or while it asks: both end
  asker.join();
  std::thread([&] { EXPECT_FALSE(calls.Do([this] { OnLoop(); }, minutes(60))); }).join();
  EXPECT_EQ(done_, 0);
}

}  // namespace
}  // namespace proxymux::proxy
