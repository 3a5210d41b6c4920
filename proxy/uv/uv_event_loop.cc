#include "proxy/uv/uv_event_loop.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace proxymux::proxy {
namespace {

// A turn may take that long, and the system may be that late in waking somebody up.
constexpr pgsql::Duration kTurnLimit = std::chrono::milliseconds(100);

class LoopSocketWatch final : public pgsql::SocketWatch {
 public:
  LoopSocketWatch(uv_loop_t* loop, int fd, std::function<void(bool, bool)> on_ready) {
    poll_.Open(loop, fd, [this, on_ready = std::move(on_ready)](int status, int events) {
      if (status != 0) {
        // After an error (a reset connection) libuv has stopped watching, but there may be more to
        // read than one call takes: watch on, until the owner has seen the error for itself.
        poll_.SetEvents(interest_);
        events = UV_READABLE | UV_WRITABLE;
      }
      on_ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
    });
  }
  void SetInterest(bool readable, bool writable) override {
    interest_ = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (poll_.is_open()) poll_.SetEvents(interest_);
  }

 private:
  UvPoll poll_;
  int interest_ = 0;
};

// A request on libuv's thread pool. The block lives until libuv calls back; the caller's token only
// tells whether anybody still wants to hear of it.
struct ThreadCall {
  std::shared_ptr<bool> wanted = std::make_shared<bool>(true);
};

class ThreadCallToken final : public pgsql::PendingCall {
 public:
  explicit ThreadCallToken(std::shared_ptr<bool> wanted) : wanted_(std::move(wanted)) {}
  ~ThreadCallToken() override { *wanted_ = false; }

 private:
  std::shared_ptr<bool> wanted_;
};

struct BlockingCall : ThreadCall {
  uv_work_t request;
  std::function<void()> work;
  std::function<void()> done;
};

}  // namespace

class UvEventLoop::LoopTimer final : public pgsql::Timer {
 public:
  // The callback may destroy the timer: nothing of it is touched afterwards.
  LoopTimer(UvEventLoop* loop, std::function<void()> on_expiry)
      : loop_(loop), timer_(loop->uv(), [this, on_expiry = std::move(on_expiry)] {
          const pgsql::Duration left = due_ - loop_->Read();
          if (left > pgsql::Duration::zero()) return timer_.Start(left);
          Leave();
          on_expiry();
        }) {}
  ~LoopTimer() override { Leave(); }
  void Start(pgsql::Duration after) override {
    if (!std::exchange(running_, true)) loop_->timers_.push_back(this);
    uv_update_time(loop_->uv());  // it counts from the beginning of the turn, maybe long ago
    due_ = loop_->Read() + after;
    timer_.Start(after);
  }
  void Stop() override {
    Leave();
    timer_.Stop();
  }
  pgsql::Time due() const { return due_; }

 private:
  void Leave() {
    if (std::exchange(running_, false)) std::erase(loop_->timers_, this);
  }

  UvEventLoop* const loop_;
  bool running_ = false;
  pgsql::Time due_{};  // libuv's clock drops what is below a millisecond
  UvTimer timer_;
};

UvEventLoop::UvEventLoop() : loop_(new uv_loop_t), names_(loop_, this) {
  // Names that cannot be resolved may hold half of libuv's threads at a time. It reads this when it
  // makes them.
  setenv("UV_THREADPOOL_SIZE", "16", /*overwrite=*/0);
  if (uv_loop_init(loop_) != 0)
    std::abort();  // no descriptors at the very start: nothing can be done
  check_ = UvCheck(loop_, [this] { RunTasks(); });
  idle_ = UvIdle(loop_, [] {});
  prepare_ = UvPrepare(loop_, [this] { BeforeSleep(); });
  prepare_.Start();
  prepare_.Unref();
}

// Read once per turn. Outside of Run() there are no turns.
pgsql::Time UvEventLoop::Now() const {
  if (now_is_old_ || !running_) {
    now_ = Read();
    now_is_old_ = false;
  }
  return now_;
}

pgsql::RealTime UvEventLoop::RealNow() const {
  return pgsql::RealTime((Now() + away_).time_since_epoch());
}

// Outside of Run() nothing is late.
pgsql::Time UvEventLoop::Read() const {
  const pgsql::Time now = pgsql::Clock::now();
  if (asleep_ != pgsql::Time{}) slept_ += now - std::exchange(asleep_, pgsql::Time{});
  if (running_ && now - awake_ > kTurnLimit) away_ += now - awake_;
  awake_ = now;
  return now - away_;
}

void UvEventLoop::BeforeSleep() {
  now_is_old_ = true;
  Read();
  asleep_ = awake_;
  pgsql::Time next = pgsql::Time::max() - away_;
  for (const LoopTimer* timer : timers_) next = std::min(next, timer->due());
  awake_ = std::max(awake_, next + away_);
}

UvEventLoop::~UvEventLoop() {
  check_.Close();
  idle_.Close();
  prepare_.Close();
  // Close callbacks are due at once. A name server that does not answer may hold a thread for
  // longer than an end may take.
  const auto give_up = pgsql::Clock::now() + std::chrono::seconds(1);
  while (uv_run(loop_, UV_RUN_NOWAIT) != 0 && pgsql::Clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (uv_loop_close(loop_) == 0) {
    delete loop_;
    return;
  }
  // The thread that is still busy will write into the loop, so it has to stay.
  static uv_loop_t* left_behind = nullptr;
  loop_->data = left_behind;
  left_behind = loop_;
}

pgsql::Duration UvEventLoop::busy() const {
  if (!running_) return {};
  Read();
  return pgsql::Clock::now() - began_ - slept_;
}

void UvEventLoop::Run() {
  began_ = awake_ = pgsql::Clock::now();
  slept_ = {};
  asleep_ = {};
  running_ = true;
  uv_run(loop_, UV_RUN_DEFAULT);
  running_ = false;
}

void UvEventLoop::Stop() { uv_stop(loop_); }

std::unique_ptr<pgsql::Timer> UvEventLoop::NewTimer(std::function<void()> on_expiry) {
  return std::make_unique<LoopTimer>(this, std::move(on_expiry));
}

std::unique_ptr<pgsql::SocketWatch> UvEventLoop::WatchSocket(
    int fd, std::function<void(bool, bool)> on_ready) {
  return std::make_unique<LoopSocketWatch>(loop_, fd, std::move(on_ready));
}

std::unique_ptr<pgsql::PendingCall> UvEventLoop::Resolve(
    const std::string& host, std::function<void(pgsql::ResolveResult)> done) {
  return names_.Resolve(host, std::move(done));
}

std::unique_ptr<pgsql::PendingCall> UvEventLoop::RunBlocking(std::function<void()> work,
                                                             std::function<void()> done) {
  auto* call = new BlockingCall;
  call->work = std::move(work);
  call->done = std::move(done);
  call->request.data = call;
  auto token = std::make_unique<ThreadCallToken>(call->wanted);
  uv_queue_work(
      loop_, &call->request,
      [](uv_work_t* request) { static_cast<BlockingCall*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        const std::unique_ptr<BlockingCall> call(static_cast<BlockingCall*>(request->data));
        if (*call->wanted) call->done();
      });
  return token;
}

class UvEventLoop::LoopTurnTask final : public pgsql::TurnTask {
 public:
  LoopTurnTask(UvEventLoop* loop, std::function<void()> task)
      : loop_(loop), task_(std::move(task)) {}
  ~LoopTurnTask() override {
    if (!scheduled_) return;
    for (auto* tasks : {&loop_->turn_tasks_, &loop_->running_turn_tasks_}) {
      std::replace(tasks->begin(), tasks->end(), this, static_cast<LoopTurnTask*>(nullptr));
    }
  }
  void Schedule() override {
    if (std::exchange(scheduled_, true)) return;
    loop_->WakeForTasks();
    loop_->turn_tasks_.push_back(this);
  }
  void Run() {
    scheduled_ = false;
    task_();
  }

 private:
  UvEventLoop* const loop_;
  const std::function<void()> task_;
  bool scheduled_ = false;
};

std::unique_ptr<pgsql::TurnTask> UvEventLoop::NewTurnTask(std::function<void()> task) {
  return std::make_unique<LoopTurnTask>(this, std::move(task));
}

void UvEventLoop::WakeForTasks() {
  if (tasks_.empty() && turn_tasks_.empty() && check_.is_open()) {
    check_.Start();
    idle_.Start();
  }
}

void UvEventLoop::AtEndOfTurn(std::function<void()> task) {
  WakeForTasks();
  tasks_.push_back(std::move(task));
}

void UvEventLoop::RunTasks() {
  check_.Stop();
  idle_.Stop();
  // What a task adds runs in the next turn.
  running_tasks_.swap(tasks_);
  running_turn_tasks_.swap(turn_tasks_);
  for (const auto& task : running_tasks_) task();
  running_tasks_.clear();
  for (std::size_t i = 0; i < running_turn_tasks_.size(); ++i) {
    LoopTurnTask* task = std::exchange(running_turn_tasks_[i], nullptr);
    if (task != nullptr) task->Run();
  }
  running_turn_tasks_.clear();
}

}  // namespace proxymux::proxy
