#include "proxy/admin/loop_calls.h"

namespace proxymux::proxy {

LoopCalls::LoopCalls(uv_loop_t* loop) {
  wake_.Open(loop, [this] { Run(); });
}

LoopCalls::~LoopCalls() = default;

bool LoopCalls::Do(const std::function<void()>& what, std::chrono::milliseconds limit) {
  Call call{.what = &what};
  std::unique_lock lock(mutex_);
  if (closed_ || !wake_.is_open()) return false;
  waiting_.push_back(&call);
  wake_.Send();
  changed_.wait_for(lock, limit, [&] { return closed_ || call.state != State::kWaits; });
  if (call.state == State::kWaits) {
    std::erase(waiting_, &call);
    return false;
  }
  changed_.wait(lock, [&] { return call.state == State::kDone; });
  return true;
}

void LoopCalls::Run() {
  std::unique_lock lock(mutex_);
  while (!closed_ && !waiting_.empty()) {
    Call* const call = waiting_.front();
    waiting_.pop_front();
    call->state = State::kRuns;
    lock.unlock();
    (*call->what)();
    lock.lock();
    call->state = State::kDone;
    changed_.notify_all();
  }
}

void LoopCalls::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace proxymux::proxy
