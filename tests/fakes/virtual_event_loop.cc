#include "tests/fakes/virtual_event_loop.h"

#include <algorithm>
#include <utility>

namespace proxymux::fakes {

using pgsql::Duration;
using pgsql::ResolveResult;

class VirtualEventLoop::VirtualTimer final : public pgsql::Timer {
 public:
  VirtualTimer(VirtualEventLoop* loop, std::function<void()> on_expiry)
      : loop_(loop), on_expiry_(std::make_shared<std::function<void()>>(std::move(on_expiry))) {}
  ~VirtualTimer() override { Stop(); }
  void Start(Duration after) override {
    Stop();
    place_ = {loop_->now_ + std::max(after, Duration::zero()), loop_->next_timer_++};
    loop_->timers_.emplace(place_, this);
  }
  void Stop() override { loop_->timers_.erase(place_); }
  void Expire() {
    Stop();
    const auto keep = on_expiry_;  // the callback may destroy its timer
    (*keep)();
  }

 private:
  VirtualEventLoop* const loop_;
  std::shared_ptr<std::function<void()>> on_expiry_;
  std::pair<pgsql::Time, std::uint64_t> place_{pgsql::Time{}, ~std::uint64_t{0}};
};

class VirtualEventLoop::VirtualWatch final : public pgsql::SocketWatch {
 public:
  VirtualWatch(VirtualEventLoop* loop, int fd, std::function<void(bool, bool)> on_ready)
      : loop_(loop),
        fd_(fd),
        on_ready_(std::make_shared<std::function<void(bool, bool)>>(std::move(on_ready))) {
    loop_->watches_[fd] = this;
  }
  ~VirtualWatch() override {
    if (const auto found = loop_->watches_.find(fd_);
        found != loop_->watches_.end() && found->second == this) {
      loop_->watches_.erase(found);
    }
  }
  void SetInterest(bool readable, bool writable) override {
    readable_ = readable;
    writable_ = writable;
  }
  bool Fire(bool readable, bool writable) {
    if (!(readable && readable_) && !(writable && writable_)) return false;
    const auto keep = on_ready_;
    (*keep)(readable && readable_, writable && writable_);
    return true;
  }

 private:
  VirtualEventLoop* const loop_;
  const int fd_;
  std::shared_ptr<std::function<void(bool, bool)>> on_ready_;
  bool readable_ = false;
  bool writable_ = false;
};

class VirtualEventLoop::CallToken final : public pgsql::PendingCall {
 public:
  explicit CallToken(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
  ~CallToken() override { *wanted_ = false; }

 private:
  std::shared_ptr<bool> wanted_;
};

std::unique_ptr<pgsql::Timer> VirtualEventLoop::NewTimer(std::function<void()> on_expiry) {
  return std::make_unique<VirtualTimer>(this, std::move(on_expiry));
}

std::unique_ptr<pgsql::SocketWatch> VirtualEventLoop::WatchSocket(
    int fd, std::function<void(bool, bool)> on_ready) {
  return std::make_unique<VirtualWatch>(this, fd, std::move(on_ready));
}

std::unique_ptr<pgsql::PendingCall> VirtualEventLoop::Resolve(
    const std::string& host, std::function<void(ResolveResult)> done) {
  auto wanted = std::make_shared<bool>(true);
  resolving_.push_back({wanted, host, std::move(done)});
  if (const auto known = addresses_.find(host); known != addresses_.end()) {
    AtEndOfTurn([this, host, addresses = known->second] {
      CompleteResolve(host, {addresses, addresses.empty() ? "no such name" : ""});
    });
  }
  return std::make_unique<CallToken>(std::move(wanted));
}

std::unique_ptr<pgsql::PendingCall> VirtualEventLoop::RunBlocking(std::function<void()> work,
                                                                  std::function<void()> done) {
  auto wanted = std::make_shared<bool>(true);
  Blocking call{wanted, std::move(work), std::move(done)};
  if (hold_blocking_) {
    blocking_.push_back(std::move(call));
  } else {
    AtEndOfTurn([this, call = std::move(call)] { Complete(call); });
  }
  return std::make_unique<CallToken>(std::move(wanted));
}

void VirtualEventLoop::Complete(const Blocking& call) {
  call.work();
  if (*call.wanted) call.done();
}

void VirtualEventLoop::ReleaseBlocking() {
  hold_blocking_ = false;
  std::list<Blocking> calls;
  calls.swap(blocking_);
  for (const Blocking& call : calls) Complete(call);
}

void VirtualEventLoop::AtEndOfTurn(std::function<void()> task) {
  tasks_.push_back(std::move(task));
}

class VirtualEventLoop::VirtualTurnTask final : public pgsql::TurnTask {
 public:
  VirtualTurnTask(VirtualEventLoop* loop, std::function<void()> task)
      : loop_(loop), task_(std::make_shared<std::function<void()>>(std::move(task))) {}
  void Schedule() override {
    if (*scheduled_) return;
    *scheduled_ = true;
    loop_->AtEndOfTurn([task = std::weak_ptr(task_), scheduled = scheduled_] {
      *scheduled = false;
      if (const auto wanted = task.lock()) (*wanted)();
    });
  }

 private:
  VirtualEventLoop* const loop_;
  const std::shared_ptr<std::function<void()>> task_;
  const std::shared_ptr<bool> scheduled_ = std::make_shared<bool>(false);
};

std::unique_ptr<pgsql::TurnTask> VirtualEventLoop::NewTurnTask(std::function<void()> task) {
  return std::make_unique<VirtualTurnTask>(this, std::move(task));
}

void VirtualEventLoop::EndTurn() {
  while (!tasks_.empty()) {
    std::vector<std::function<void()>> running;
    running.swap(tasks_);
    for (const auto& task : running) task();
  }
}

void VirtualEventLoop::Advance(Duration by) {
  EndTurn();
  const pgsql::Time end = now_ + by;
  while (!timers_.empty() && timers_.begin()->first.first <= end) {
    const auto [place, timer] = *timers_.begin();
    now_ = std::max(now_, place.first);
    timer->Expire();
    EndTurn();
  }
  now_ = end;
}

std::size_t VirtualEventLoop::timers_running() const { return timers_.size(); }

void VirtualEventLoop::SetAddresses(const std::string& host, std::vector<std::string> addresses) {
  addresses_[host] = std::move(addresses);
}

bool VirtualEventLoop::CompleteResolve(const std::string& host, const ResolveResult& result) {
  const auto found = std::find_if(resolving_.begin(), resolving_.end(),
                                  [&](const Resolving& one) { return one.host == host; });
  if (found == resolving_.end()) return false;
  const Resolving call = std::move(*found);
  resolving_.erase(found);
  if (!*call.wanted) return false;
  call.done(result);
  return true;
}

bool VirtualEventLoop::MakeReady(int fd, bool readable, bool writable) {
  const auto found = watches_.find(fd);
  return found != watches_.end() && found->second->Fire(readable, writable);
}

}  // namespace proxymux::fakes
