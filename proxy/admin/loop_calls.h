// Lets other threads have something done on the loop's thread, and wait until it is done.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

class LoopCalls {
 public:
  explicit LoopCalls(uv_loop_t* loop);
  // On the loop's thread, when nobody calls any more.
  ~LoopCalls();
  LoopCalls(const LoopCalls&) = delete;
  LoopCalls& operator=(const LoopCalls&) = delete;

  // From any thread but the loop's. True: `what` was run, on the loop's thread, for as long as that
  // took. False: the loop did not begin with it in time, and it never will be run.
  bool Do(const std::function<void()>& what, std::chrono::milliseconds limit);

  // On the loop's thread. Whoever calls from here on, or waits, is told false, at once.
  void Close();

 private:
  enum class State : std::uint8_t { kWaits, kRuns, kDone };
  struct Call {
    const std::function<void()>* what;
    State state = State::kWaits;
  };

  void Run();

  UvAsync wake_;
  std::mutex mutex_;
  std::condition_variable changed_;  // closed_, or the state of a call
  bool closed_ = false;              // guarded by mutex_, as what follows and what it points to
  std::deque<Call*> waiting_;        // each is on the stack of the thread that waits for it
};

}  // namespace proxymux::proxy
