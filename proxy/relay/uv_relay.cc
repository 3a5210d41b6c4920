#include "proxy/relay/uv_relay.h"

#include <map>
#include <utility>
#include <vector>

#include "proxy/relay/stock_scheduler.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

// Tickets and leases hold weak pointers to it, so it may go first. What is left of slots is buried
// in the next turn.
class UvRelay::Core : public std::enable_shared_from_this<UvRelay::Core> {
 public:
  using Time = StockScheduler::Time;

  Core(uv_loop_t* loop, RelayOptions options, RelayObserver* observer)
      : loop_(loop),
        options_(std::move(options)),
        scheduler_(options_.policy),
        slots_(loop, &options_, observer, SlotEvents()),
        deadline_(loop, [this] { OnDeadline(); }),
        next_turn_(loop, [this] { OnNextTurn(); }) {}

  StockScheduler::LeaseId OpenLease() { return scheduler_.OpenLease(); }

  void CloseLease(StockScheduler::LeaseId lease) {
    scheduler_.CloseLease(lease, Now());
    Carry();
  }

  StockScheduler::RequestId Submit(RelayRequest request, StockScheduler::LeaseId lease, Done done) {
    const auto id = scheduler_.Submit(request.table, request.step, lease, Now());
    pending_.emplace(id, Pending{std::move(request), std::move(done)});
    Carry();
    return id;
  }

  void Abandon(StockScheduler::RequestId id) {
    if (pending_.erase(id) == 0) return;
    scheduler_.Abandon(id, Now());
    Carry();
  }

  RelayStatus Status() const { return scheduler_.Status(); }

  void Drain() {
    scheduler_.Drain(Now());
    Carry();
  }

  void Stop(std::function<void()> stopped) {
    stopped_ = std::move(stopped);
    scheduler_.Stop(Now());
    Carry();
    next_turn_.Start(std::chrono::milliseconds(0));  // there may be nothing to wait for
  }

  void Reconfigure(RelayOptions options) {
    options_ = std::move(options);
    scheduler_.SetPolicy(options_.policy, Now());
    Carry();
  }

  void Close() {
    closed_ = true;
    stopped_ = nullptr;
    deadline_.Close();
    next_turn_.Close();
    pending_.clear();
    outcomes_.clear();
    slots_.Clear();
  }

 private:
  struct Pending {
    RelayRequest request;
    Done done;
  };
  struct Outcome {
    StockScheduler::RequestId id;
    RelayReply reply;
  };

  // The real time, not the loop's cached one: a turn may be long.
  static Time Now() { return std::chrono::steady_clock::now(); }

  // Does what the scheduler wants until it wants nothing more, then sets the timer.
  void Carry() {
    if (carrying_ || closed_) return;
    carrying_ = true;
    for (;;) {
      for (StockAction& action : scheduler_.TakeActions()) Do(action);
      // What went wrong at once is an event like others, but only when the batch that it belongs to
      // is done.
      if (!slots_.TellSetbacks()) break;
    }
    carrying_ = false;
    if (const auto next = scheduler_.NextDeadline(); next.has_value()) {
      // libuv counts from the time it took at the start of this turn.
      uv_update_time(loop_);
      deadline_.Start(*next - Now());
    } else {
      deadline_.Stop();
    }
    if (!outcomes_.empty() || slots_.has_remains() || scheduler_.Stopped()) {
      next_turn_.Start(std::chrono::milliseconds(0));
    }
  }

  void Do(StockAction& action) {
    const std::size_t index = action.slot;
    switch (action.kind) {
      case StockAction::Kind::kSpawn:
        slots_.Spawn(index);
        break;
      case StockAction::Kind::kConnect:
        slots_.Connect(index);
        break;
      case StockAction::Kind::kDisconnect:
        slots_.Disconnect(index);
        break;
      case StockAction::Kind::kSend:
        slots_.Send(index, pending_.at(action.request).request);
        break;
      case StockAction::Kind::kAskToEnd:
        slots_.AskToEnd(index);
        break;
      case StockAction::Kind::kTerminate:
        slots_.Terminate(index);
        break;
      case StockAction::Kind::kKill:
        slots_.Kill(index);
        break;
      case StockAction::Kind::kRelease:
        slots_.Release(index);
        break;
      case StockAction::Kind::kFail:
        outcomes_.push_back(
            {action.request, {RelayOutcome::kFailed, {}, std::move(action.reason), {}, 0}});
        break;
    }
  }

  void OnReply(std::size_t index, std::string list, std::optional<protocol::ReplyHead> head) {
    const auto keep = shared_from_this();
    const auto id = scheduler_.OnReply(index, Now());
    Carry();
    if (!id.has_value()) return;
    RelayReply reply;
    reply.outcome = RelayOutcome::kReplied;
    reply.reply = std::move(list);
    if (head.has_value()) {
      reply.status = head->status;
      reply.flags = head->flags;
    }
    Finish(*id, std::move(reply));
  }

  void Finish(StockScheduler::RequestId id, RelayReply reply) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    const Done done = std::move(found->second.done);
    pending_.erase(found);
    const auto keep = shared_from_this();
    done(std::move(reply));
  }

  void OnDeadline() {
    scheduler_.OnTime(Now());
    Carry();
  }

  void OnNextTurn() {
    const auto keep = shared_from_this();
    slots_.Bury();
    for (Outcome& outcome : std::exchange(outcomes_, {})) {
      Finish(outcome.id, std::move(outcome.reply));
    }
    if (scheduler_.Stopped() && outcomes_.empty() && stopped_) {
      deadline_.Stop();
      std::exchange(stopped_, nullptr)();
    }
  }

  // Also told while Carry() is at work: that then goes on with what comes of it.
  UvStockSlots::Events SlotEvents() {
    UvStockSlots::Events events;
    events.on_greeting = [this](std::size_t slot) {
      scheduler_.OnGreeting(slot, Now());
      Carry();
    };
    events.on_reply = [this](std::size_t slot, std::string reply,
                             std::optional<protocol::ReplyHead> head) {
      OnReply(slot, std::move(reply), head);
    };
    events.on_closed = [this](std::size_t slot, bool begun, const std::string& reason) {
      scheduler_.OnClosed(slot, begun, reason, Now());
      Carry();
    };
    events.on_spawn_failed = [this](std::size_t slot, const std::string& reason) {
      scheduler_.OnSpawnFailed(slot, reason, Now());
      Carry();
    };
    events.on_process_ended = [this](std::size_t slot, const std::string& how) {
      scheduler_.OnProcessEnded(slot, how, Now());
      Carry();
    };
    return events;
  }

  uv_loop_t* loop_;
  RelayOptions options_;
  StockScheduler scheduler_;
  UvStockSlots slots_;
  std::map<StockScheduler::RequestId, Pending> pending_;
  std::vector<Outcome> outcomes_;  // to be told in the next turn
  std::function<void()> stopped_;
  bool carrying_ = false;
  bool closed_ = false;
  UvTimer deadline_;
  UvTimer next_turn_;
};

class UvRelay::Ticket : public RelayTicket {
 public:
  Ticket(std::weak_ptr<Core> core, StockScheduler::RequestId id)
      : core_(std::move(core)), id_(id) {}
  ~Ticket() override {
    if (const auto core = core_.lock()) core->Abandon(id_);
  }

 private:
  std::weak_ptr<Core> core_;
  StockScheduler::RequestId id_;
};

class UvRelay::Lease : public SequenceLease {
 public:
  Lease(std::weak_ptr<Core> core, StockScheduler::LeaseId id) : core_(std::move(core)), id_(id) {}
  ~Lease() override {
    if (const auto core = core_.lock()) core->CloseLease(id_);
  }
  StockScheduler::LeaseId id() const { return id_; }

 private:
  std::weak_ptr<Core> core_;
  StockScheduler::LeaseId id_;
};

UvRelay::UvRelay(uv_loop_t* loop, RelayOptions options, RelayObserver* observer)
    : core_(std::make_shared<Core>(loop, std::move(options), observer)) {}

UvRelay::~UvRelay() { core_->Close(); }

std::unique_ptr<SequenceLease> UvRelay::NewLease() {
  return std::make_unique<Lease>(core_, core_->OpenLease());
}

std::unique_ptr<RelayTicket> UvRelay::Submit(RelayRequest request, SequenceLease* lease,
                                             Done done) {
  // Every lease is one of ours.
  const auto id = lease == nullptr ? StockScheduler::kNoLease : static_cast<Lease*>(lease)->id();
  return std::make_unique<Ticket>(core_, core_->Submit(std::move(request), id, std::move(done)));
}

RelayStatus UvRelay::Status() const { return core_->Status(); }

void UvRelay::Drain() { core_->Drain(); }

void UvRelay::Stop(std::function<void()> stopped) { core_->Stop(std::move(stopped)); }

void UvRelay::Reconfigure(RelayOptions options) { core_->Reconfigure(std::move(options)); }

}  // namespace proxymux::proxy
