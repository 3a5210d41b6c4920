#include "proxy/relay/uv_relay.h"

#include <csignal>
#include <map>
#include <utility>
#include <vector>

#include "proxy/relay/stock_listener.h"
#include "proxy/relay/uv_relay_connection.h"
#include "proxy/relay/uv_stock_process.h"
#include "proxy/uv/uv_handles.h"

namespace proxymux::proxy {

// Tickets and leases hold weak pointers to it, so it may go first. Objects that report something
// are let go of only in the next turn (graveyard_), since the report comes from inside them.
class UvRelay::Core : public std::enable_shared_from_this<UvRelay::Core> {
 public:
  using Time = StockScheduler::Time;

  Core(uv_loop_t* loop, RelayOptions options, RelayObserver* observer)
      : loop_(loop),
        options_(std::move(options)),
        observer_(observer),
        scheduler_(options_.policy),
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
    slots_.clear();
    graveyard_.clear();
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
  struct Slot {
    StockListener listener;
    std::unique_ptr<UvStockProcess> process;
    std::unique_ptr<UvRelayConnection> connection;
  };
  struct Remains {
    std::unique_ptr<UvStockProcess> process;
    std::unique_ptr<UvRelayConnection> connection;
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
      if (setbacks_.empty()) break;
      for (const auto& setback : std::exchange(setbacks_, {})) setback();
    }
    carrying_ = false;
    if (const auto next = scheduler_.NextDeadline(); next.has_value()) {
      // libuv counts from the time it took at the start of this turn.
      uv_update_time(loop_);
      deadline_.Start(*next - Now());
    } else {
      deadline_.Stop();
    }
    if (!outcomes_.empty() || !graveyard_.empty() || scheduler_.Stopped()) {
      next_turn_.Start(std::chrono::milliseconds(0));
    }
  }

  void Do(StockAction& action) {
    const std::size_t index = action.slot;
    switch (action.kind) {
      case StockAction::Kind::kSpawn:
        Spawn(index);
        break;
      case StockAction::Kind::kConnect:
        Connect(index);
        break;
      case StockAction::Kind::kDisconnect:
        Bury({nullptr, std::move(slots_[index].connection)});
        break;
      case StockAction::Kind::kSend: {
        const RelayRequest& request = pending_.at(action.request).request;
        slots_[index].connection->Send(request.list, request.kind, request.dialect);
        break;
      }
      case StockAction::Kind::kAskToEnd:
        if (slots_[index].process) slots_[index].process->AskToEnd();
        break;
      case StockAction::Kind::kTerminate:
        Signal(index, SIGTERM, "SIGTERM");
        break;
      case StockAction::Kind::kKill:
        Signal(index, SIGKILL, "SIGKILL");
        break;
      case StockAction::Kind::kRelease:
        slots_[index].listener.Close();
        break;
      case StockAction::Kind::kFail:
        outcomes_.push_back(
            {action.request, {RelayOutcome::kFailed, {}, std::move(action.reason), {}}});
        break;
    }
  }

  void Spawn(std::size_t index) {
    Slot& slot = slots_[index];
    std::string error;
    if (!slot.listener.is_open()) {
      if (const int result = slot.listener.Open(options_.launch.socket_directory); result != 0) {
        error = "cannot make a listening socket in " + options_.launch.socket_directory + ": " +
                uv_strerror(result);
      }
    }
    if (error.empty()) {
      auto process = std::make_unique<UvStockProcess>(
          loop_, [this, index](const std::string& how) { OnProcessEnded(index, how); });
      if (process->Start(options_.launch, slot.listener.fd(), &error) == 0) {
        Tell(RelaySeverity::kDebug,
             "started the stock proxymap, process " + std::to_string(process->pid()));
        Bury({std::exchange(slot.process, std::move(process)), nullptr});
        return;
      }
    }
    Tell(RelaySeverity::kWarning, "stock proxymap: " + error);
    setbacks_.push_back([this, index, error] { scheduler_.OnSpawnFailed(index, error, Now()); });
  }

  void Connect(std::size_t index) {
    Slot& slot = slots_[index];
    const bool spawning = options_.policy.mode == StockMode::kSpawn;
    if (spawning && !slot.listener.is_open()) return;  // a setback of the spawn has it already
    int result = spawning ? slot.listener.Connect() : ConnectToUnixSocket(options_.service_socket);
    if (result >= 0) {
      auto connection = std::make_unique<UvRelayConnection>(
          loop_, options_.max_reply,
          UvRelayConnection::Callbacks{
              [this, index] {
                scheduler_.OnGreeting(index, Now());
                Carry();
              },
              [this, index](std::string reply, std::optional<protocol::Status> status) {
                OnReply(index, std::move(reply), status);
              },
              [this, index](bool begun, const std::string& reason) {
                OnClosed(index, begun, reason);
              }});
      result = connection->Open(result, options_.expects_greeting);
      if (result == 0) {
        slot.connection = std::move(connection);
        return;
      }
    }
    const std::string reason =
        "cannot connect to " +
        (spawning ? "the stock proxymap that was started" : options_.service_socket) + ": " +
        uv_strerror(result);
    Tell(RelaySeverity::kWarning, reason);
    setbacks_.push_back(
        [this, index, reason] { scheduler_.OnClosed(index, false, reason, Now()); });
  }

  void OnReply(std::size_t index, std::string reply, std::optional<protocol::Status> status) {
    const auto keep = shared_from_this();
    const auto id = scheduler_.OnReply(index, Now());
    Carry();
    if (id.has_value()) Finish(*id, {RelayOutcome::kReplied, std::move(reply), {}, status});
  }

  void OnClosed(std::size_t index, bool reply_begun, const std::string& reason) {
    Bury({nullptr, std::move(slots_[index].connection)});
    scheduler_.OnClosed(index, reply_begun, reason, Now());
    Carry();
  }

  void OnProcessEnded(std::size_t index, const std::string& how) {
    Slot& slot = slots_[index];
    const bool expected =
        how == "exit status 0";  // max_use, max_idle, a table that changed; or we asked
    Tell(expected ? RelaySeverity::kDebug : RelaySeverity::kWarning,
         "a stock proxymap ended: " + how);
    Bury({std::move(slot.process), nullptr});
    scheduler_.OnProcessEnded(index, "it ended at once: " + how, Now());
    Carry();
  }

  void Signal(std::size_t index, int number, const std::string& name) {
    Slot& slot = slots_[index];
    if (!slot.process) return;
    Tell(RelaySeverity::kInfo, "sending " + name + " to the stock proxymap, process " +
                                   std::to_string(slot.process->pid()));
    slot.process->Signal(number);
  }

  void Finish(StockScheduler::RequestId id, RelayReply reply) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    const Done done = std::move(found->second.done);
    pending_.erase(found);
    const auto keep = shared_from_this();
    done(std::move(reply));
  }

  void Bury(Remains remains) {
    if (remains.process || remains.connection) graveyard_.push_back(std::move(remains));
  }

  void OnDeadline() {
    scheduler_.OnTime(Now());
    Carry();
  }

  void OnNextTurn() {
    const auto keep = shared_from_this();
    graveyard_.clear();
    for (Outcome& outcome : std::exchange(outcomes_, {})) {
      Finish(outcome.id, std::move(outcome.reply));
    }
    if (scheduler_.Stopped() && outcomes_.empty() && stopped_) {
      deadline_.Stop();
      std::exchange(stopped_, nullptr)();
    }
  }

  void Tell(RelaySeverity severity, const std::string& text) {
    observer_->OnRelayEvent(severity, text);
  }

  uv_loop_t* loop_;
  RelayOptions options_;
  RelayObserver* observer_;
  StockScheduler scheduler_;
  std::map<std::size_t, Slot> slots_;
  std::map<StockScheduler::RequestId, Pending> pending_;
  std::vector<Outcome> outcomes_;  // to be told in the next turn
  std::vector<Remains> graveyard_;
  std::vector<std::function<void()>> setbacks_;
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
