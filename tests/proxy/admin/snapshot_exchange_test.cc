// Threads that ask the loop for a snapshot.
#include "proxy/admin/snapshot_exchange.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SnapshotExchangeTest : public ::testing::Test {
 protected:
  ServiceStatus Make() {
    EXPECT_EQ(std::this_thread::get_id(), loop_thread_);
    ServiceStatus status;
    status.reloads = ++made_;
    return status;
  }
  void RunLoop() { loop_.Run(); }
  // Called by the threads that ask, when they are done.
  void OneLess() {
    if (--asking_ == 0) done_.Send();
  }

  const std::thread::id loop_thread_ = std::this_thread::get_id();
  UvEventLoop loop_;
  std::uint64_t made_ = 0;
  std::atomic<int> asking_{0};
  UvAsync done_;
};

TEST_F(SnapshotExchangeTest, ManyThreadsAreAnsweredByTheLoopsThread) {
  auto exchange = std::make_unique<SnapshotExchange>(loop_.uv(), [this] { return Make(); });
  done_.Open(loop_.uv(), [this] { loop_.Stop(); });
  asking_ = 8;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      std::uint64_t last = 0;
      for (int n = 0; n < 100; ++n) {
        const auto status = exchange->Ask(seconds(30));
        ASSERT_TRUE(status.has_value());
        // Each question is answered by a snapshot made after it was put.
        EXPECT_GT(status->reloads, last);
        last = status->reloads;
      }
      OneLess();
    });
  }
  RunLoop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(made_, 100u);
  EXPECT_LE(made_, 800u);
  exchange.reset();
  done_.Close();
}

TEST_F(SnapshotExchangeTest, ALoopThatDoesNotTurnCostsItsTimeLimitOnly) {
  SnapshotExchange exchange(loop_.uv(), [this] { return Make(); });
  std::thread asker([&] { EXPECT_FALSE(exchange.Ask(milliseconds(20)).has_value()); });
  asker.join();
  EXPECT_EQ(made_, 0u);
}

TEST_F(SnapshotExchangeTest, AfterALateLoopTheNextQuestionIsAnsweredFresh) {
  auto exchange = std::make_unique<SnapshotExchange>(loop_.uv(), [this] { return Make(); });
  done_.Open(loop_.uv(), [this] { loop_.Stop(); });
  std::thread([&] { EXPECT_FALSE(exchange->Ask(milliseconds(1)).has_value()); }).join();
  asking_ = 1;
  std::thread asker([&] {
    EXPECT_TRUE(exchange->Ask(seconds(30)).has_value());
    OneLess();
  });
  RunLoop();
  asker.join();
  exchange.reset();
  done_.Close();
}

TEST_F(SnapshotExchangeTest, ClosingLetsTheWaitingGoAtOnce) {
  SnapshotExchange exchange(loop_.uv(), [this] { return Make(); });
  std::atomic<bool> about_to_ask{false};
  const auto begin = std::chrono::steady_clock::now();
  std::thread asker([&] {
    about_to_ask = true;
    about_to_ask.notify_one();
    EXPECT_FALSE(exchange.Ask(std::chrono::minutes(10)).has_value());
  });
  about_to_ask.wait(false);
  exchange.Close();  // before or while it asks: both end
  asker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
  std::thread([&] { EXPECT_FALSE(exchange.Ask(std::chrono::minutes(10)).has_value()); }).join();
  EXPECT_EQ(made_, 0u);
}

}  // namespace
}  // namespace proxymux::proxy
