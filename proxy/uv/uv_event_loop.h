// The event loop of the process: libuv behind the hooks that the pgsql room asks for.
//
// Owns the uv_loop_t. Name resolution and blocking calls run on libuv's thread pool. What the loop
// has made (timers, watches, tasks) must be destroyed before the loop. Destroying the loop waits a
// second at most for threads that are still busy.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/runtime/event_loop.h"
#include "proxy/uv/uv_handles.h"
#include "proxy/uv/uv_names.h"

namespace proxymux::proxy {

class UvEventLoop final : public pgsql::EventLoop {
 public:
  UvEventLoop();
  ~UvEventLoop() override;
  UvEventLoop(const UvEventLoop&) = delete;
  UvEventLoop& operator=(const UvEventLoop&) = delete;

  uv_loop_t* uv() { return loop_; }
  // Until Stop(), or until nothing is left that could happen.
  void Run();
  void Stop();

  pgsql::Time Now() const override;
  pgsql::RealTime RealNow() const override;
  // How long the loop has been at work, and not waiting for something to happen, in all.
  pgsql::Duration busy() const;
  // How long the process was not run although something was due, in all.
  pgsql::Duration away() const { return away_; }
  std::unique_ptr<pgsql::Timer> NewTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<pgsql::SocketWatch> WatchSocket(
      int fd, std::function<void(bool readable, bool writable)> on_ready) override;
  std::unique_ptr<pgsql::PendingCall> Resolve(
      const std::string& host, std::function<void(pgsql::ResolveResult)> done) override;
  std::unique_ptr<pgsql::PendingCall> RunBlocking(std::function<void()> work,
                                                  std::function<void()> done) override;
  void AtEndOfTurn(std::function<void()> task) override;
  std::unique_ptr<pgsql::TurnTask> NewTurnTask(std::function<void()> task) override;

 private:
  class LoopTurnTask;

  class LoopTimer;

  pgsql::Time Read() const;
  void BeforeSleep();
  void WakeForTasks();
  void RunTasks();

  uv_loop_t* const loop_;
  UvNames names_;
  UvCheck check_;      // runs the tasks
  UvIdle idle_;        // keeps the loop from sleeping while there are tasks
  UvPrepare prepare_;  // before the loop sleeps
  mutable pgsql::Time now_{};
  mutable bool now_is_old_ = true;
  mutable pgsql::Time awake_{};  // when the clock was read last, or when the next timer is due
  mutable pgsql::Duration away_{};
  pgsql::Time began_{};              // to run
  mutable pgsql::Time asleep_{};     // since when the loop waits; none: it does not
  mutable pgsql::Duration slept_{};  // in which it waited, in all
  bool running_ = false;
  std::vector<LoopTimer*> timers_;  // that run; there are few
  std::vector<std::function<void()>> tasks_;
  std::vector<std::function<void()>> running_tasks_;
  std::vector<LoopTurnTask*> turn_tasks_;  // null: was destroyed
  std::vector<LoopTurnTask*> running_turn_tasks_;
};

}  // namespace proxymux::proxy
