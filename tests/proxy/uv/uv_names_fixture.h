// Names and who asks for them, on a real libuv loop with a pool of one thread, which the tests keep
// busy when a question has to wait. The time is the tests' own.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pgsql/runtime/event_loop.h"
#include "proxy/uv/uv_event_loop.h"
#include "proxy/uv/uv_names.h"
#include "tests/fakes/virtual_event_loop.h"

namespace proxymux::proxy {

// A space is in no name: no server is asked.
inline constexpr char kNoName[] = "no such name";

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

class UvNamesFixture : public ::testing::Test {
 protected:
  UvNamesFixture() {
    // Read once, when the pool is first used.
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    EXPECT_EQ(uv_loop_init(&uv_), 0);
    names_ = std::make_unique<UvNames>(&uv_, &time_);
  }
  ~UvNamesFixture() override {
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

}  // namespace proxymux::proxy
