// The hooks of the pgsql room that block, and so run on libuv's thread pool: work of any kind, and
// names. Who is told of what they bring, and that the loop's end does not wait for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "pgsql/runtime/event_loop.h"
#include "proxy/uv/uv_event_loop.h"

namespace proxymux::proxy {
namespace {

using ::testing::ElementsAre;

// Lets a thread of the pool wait until the test says so.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Enter() {
    std::unique_lock lock(mutex_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void WaitUntilInside() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  bool inside_ = false;
};

TEST(UvThreadPool, BlockingWorkRunsElsewhereAndIsToldHere) {
  UvEventLoop loop;
  std::thread::id worker;
  std::thread::id told;
  auto call = loop.RunBlocking([&] { worker = std::this_thread::get_id(); },
                               [&] { told = std::this_thread::get_id(); });
  loop.Run();
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_NE(worker, std::thread::id());
  EXPECT_EQ(told, std::this_thread::get_id());
}

TEST(UvThreadPool, BlockingWorkThatNobodyWaitsForStillRuns) {
  UvEventLoop loop;
  bool worked = false;
  loop.RunBlocking([&] { worked = true; }, [] { ADD_FAILURE() << "it was given up"; }).reset();
  loop.Run();
  EXPECT_TRUE(worked);
}

TEST(UvThreadPool, BlockingCallMayBeGivenUpFromItsOwnEnd) {
  UvEventLoop loop;
  std::unique_ptr<pgsql::PendingCall> call;
  call = loop.RunBlocking([] {}, [&] { call.reset(); });
  loop.Run();
  EXPECT_EQ(call, nullptr);
}

TEST(UvThreadPool, NamesAreResolvedToNumericAddresses) {
  UvEventLoop loop;
  pgsql::ResolveResult numeric;
  pgsql::ResolveResult local;
  pgsql::ResolveResult none;
  auto a = loop.Resolve("192.0.2.7", [&](pgsql::ResolveResult result) { numeric = result; });
  auto b = loop.Resolve("localhost", [&](pgsql::ResolveResult result) { local = result; });
  auto c = loop.Resolve("no such name", [&](pgsql::ResolveResult result) { none = result; });
  loop.Run();
  EXPECT_THAT(numeric.addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(local.addresses, ::testing::Contains(::testing::AnyOf("127.0.0.1", "::1")));
  EXPECT_TRUE(none.addresses.empty());
  EXPECT_FALSE(none.error.empty());
}

TEST(UvThreadPool, AnUnusableNameFailsLaterNotAtOnce) {
  UvEventLoop loop;
  bool returned = false;
  bool told = false;
  auto call = loop.Resolve(std::string(100000, 'x'), [&](pgsql::ResolveResult result) {
    EXPECT_TRUE(returned) << "told from inside the call";
    EXPECT_FALSE(result.error.empty());
    told = true;
  });
  returned = true;
  auto given_up = loop.Resolve(std::string(100000, 'x'),
                               [](pgsql::ResolveResult) { ADD_FAILURE() << "it was given up"; });
  given_up.reset();
  loop.Run();
  EXPECT_TRUE(told);
}

TEST(UvThreadPool, AResolutionThatIsGivenUpIsNotTold) {
  UvEventLoop loop;
  loop.Resolve("localhost", [](pgsql::ResolveResult) { ADD_FAILURE(); }).reset();
  loop.Run();
}

// A name server that does not answer must not hold up the end of the process, nor write into what
// is gone when it does answer.
TEST(UvThreadPool, TheEndDoesNotWaitForAThreadThatIsStuck) {
  Gate gate;
  Gate left;
  const auto begin = pgsql::Clock::now();
  {
    auto loop = std::make_unique<UvEventLoop>();
    auto call = loop->RunBlocking(
        [&] {
          gate.Enter();
          left.Open();
        },
        [] { ADD_FAILURE() << "the loop is gone"; });
    gate.WaitUntilInside();
    call.reset();
  }
  EXPECT_LT(pgsql::Clock::now() - begin, std::chrono::seconds(10));
  gate.Open();
  left.Enter();  // the thread is out of the work
  // The pool's thread goes on to its next work only after it has told the loop of the last one.
  for (int i = 0; i < 8; ++i) {
    UvEventLoop other;
    auto call = other.RunBlocking([] {}, [] {});
    other.Run();
  }
}

}  // namespace
}  // namespace proxymux::proxy
