// The hooks that the pgsql room needs of an event loop. UvEventLoop (proxy/uv) implements them on
// libuv; tests implement them on virtual time. One thread: every call and every callback happens on
// the loop's thread. A callback may destroy the object that called it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace proxymux::pgsql {

// What servers are given to answer in is counted in Time, which stands still while this process was
// not run: when a machine was paused (a snapshot, a migration) or had no processor to spare, that
// says nothing about a server, whose answer may be waiting to be read.
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

// How old something is, whether this process was run or not.
struct RealClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<RealClock>;
  static constexpr bool is_steady = true;
};
using RealTime = RealClock::time_point;

// Destroying a Timer stops it; a callback never runs after that.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void Start(Duration after) = 0;  // once; starting again moves it
  virtual void Stop() = 0;
};

// Tells when a socket that somebody else owns can be read or written. Must be destroyed before the
// socket is closed.
class SocketWatch {
 public:
  virtual ~SocketWatch() = default;
  virtual void SetInterest(bool readable, bool writable) = 0;
};

// A call whose result comes later. Destroying it gives the result up: the callback does not run.
class PendingCall {
 public:
  virtual ~PendingCall() = default;
};

// A task for the end of a turn. It runs once at the end of the turn in which it was scheduled,
// however often it was scheduled; destroying it gives that up. Scheduling allocates nothing.
class TurnTask {
 public:
  virtual ~TurnTask() = default;
  virtual void Schedule() = 0;
};

struct ResolveResult {
  std::vector<std::string> addresses;  // numeric, in the resolver's order
  std::string error;                   // set when there are none
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;

  // Both are read once per turn of the loop; what they differ by only grows.
  virtual Time Now() const = 0;
  virtual RealTime RealNow() const = 0;
  virtual std::unique_ptr<Timer> NewTimer(std::function<void()> on_expiry) = 0;
  virtual std::unique_ptr<SocketWatch> WatchSocket(
      int fd, std::function<void(bool readable, bool writable)> on_ready) = 0;
  virtual std::unique_ptr<PendingCall> Resolve(const std::string& host,
                                               std::function<void(ResolveResult)> done) = 0;
  // Runs `work` on another thread (it may block for a bounded time), then `done` on the loop's
  // thread. `work` runs even when the PendingCall was destroyed; `done` then does not.
  virtual std::unique_ptr<PendingCall> RunBlocking(std::function<void()> work,
                                                   std::function<void()> done) = 0;
  // Runs `task` once, when what this turn of the loop has brought in is dealt with.
  virtual void AtEndOfTurn(std::function<void()> task) = 0;
  // The loop must outlive the task.
  virtual std::unique_ptr<TurnTask> NewTurnTask(std::function<void()> task) = 0;
};

}  // namespace proxymux::pgsql
