// The pgsql room's event loop on virtual time: nothing happens until the test says so, and an hour
// passes in no time.
//
// A turn is: what the test brought in (by calling into the objects under test), then the tasks that
// asked for the end of the turn. Advance() moves time, running timers in the order in which they
// are due, each in a turn of its own. Resolving and blocking calls are completed by the test, or at
// once (in the next turn) when it says so. Sockets become ready when the test says so.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::fakes {

class VirtualEventLoop final : public pgsql::EventLoop {
 public:
  VirtualEventLoop() = default;

  pgsql::Time Now() const override {
    ++readings_;
    return now_;
  }
  // How often somebody has looked at the clock: a measure of what a turn costs.
  std::uint64_t readings() const { return readings_; }
  pgsql::RealTime RealNow() const override {
    return pgsql::RealTime((now_ + away_).time_since_epoch());
  }
  std::unique_ptr<pgsql::Timer> NewTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<pgsql::SocketWatch> WatchSocket(
      int fd, std::function<void(bool readable, bool writable)> on_ready) override;
  std::unique_ptr<pgsql::PendingCall> Resolve(
      const std::string& host, std::function<void(pgsql::ResolveResult)> done) override;
  std::unique_ptr<pgsql::PendingCall> RunBlocking(std::function<void()> work,
                                                  std::function<void()> done) override;
  void AtEndOfTurn(std::function<void()> task) override;
  std::unique_ptr<pgsql::TurnTask> NewTurnTask(std::function<void()> task) override;

  // Ends the turn: runs the tasks, and those that they add, until there are none.
  void EndTurn();
  // Ends the turn, then lets time pass: every timer that comes due runs, in order.
  void Advance(pgsql::Duration by);
  std::size_t timers_running() const;
  // The process is not run for that long.
  void Pause(pgsql::Duration time) { away_ += time; }

  // Names that Resolve answers in the next turn; others wait for CompleteResolve().
  void SetAddresses(const std::string& host, std::vector<std::string> addresses);
  // False when nobody waits for that name.
  bool CompleteResolve(const std::string& host, const pgsql::ResolveResult& result);

  // Blocking calls run in the next turn unless held; Release() runs what was held.
  void HoldBlocking() { hold_blocking_ = true; }
  void ReleaseBlocking();

  // Tells the watch of `fd` that it is ready, as far as it is interested. False when none is.
  bool MakeReady(int fd, bool readable, bool writable);

 private:
  class VirtualTimer;
  class VirtualTurnTask;
  class VirtualWatch;
  class CallToken;
  struct Blocking {
    std::shared_ptr<bool> wanted;
    std::function<void()> work;
    std::function<void()> done;
  };
  struct Resolving {
    std::shared_ptr<bool> wanted;
    std::string host;
    std::function<void(pgsql::ResolveResult)> done;
  };

  void Complete(const Blocking& call);

  pgsql::Time now_{std::chrono::hours(1)};
  mutable std::uint64_t readings_ = 0;
  pgsql::Duration away_{};
  std::uint64_t next_timer_ = 0;  // timers due at the same time run in the order of Start()
  std::map<std::pair<pgsql::Time, std::uint64_t>, VirtualTimer*> timers_;
  std::vector<std::function<void()>> tasks_;
  std::map<std::string, std::vector<std::string>> addresses_;
  std::list<Resolving> resolving_;
  std::list<Blocking> blocking_;
  bool hold_blocking_ = false;
  std::map<int, VirtualWatch*> watches_;
};

}  // namespace proxymux::fakes
