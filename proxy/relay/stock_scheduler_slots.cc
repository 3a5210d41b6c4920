// The life of a slot: opened, lost, asked to end, terminated; and the deadlines that bring that
// about. Which request goes where is in stock_scheduler_dispatch.cc.
#include <algorithm>
#include <utility>

#include "proxy/relay/stock_scheduler.h"

namespace proxymux::proxy {

// Puts a process (kSpawn) and a connection there, as far as they are missing.
void StockScheduler::Open(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (policy_.mode == StockMode::kSpawn && !slot.alive) {
    slot.alive = true;
    slot.greeted = false;
    slot.replied = false;
    slot.blamed = false;
    slot.stale = false;
    slot.started = now;
    ++counts_.starts;
    if (std::exchange(replacing_, false)) ++counts_.restarts;
    Act(StockAction::Kind::kSpawn, index);
  }
  if (slot.state != SlotState::kGreeting) Connect(index, now);
}

void StockScheduler::Connect(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state == SlotState::kReady) Act(StockAction::Kind::kDisconnect, index);
  if (policy_.mode == StockMode::kService) {
    slot.stale = false;
    ++counts_.starts;
  }
  slot.started = now;
  slot.last_used = now;
  SetState(index, SlotState::kGreeting);
  Act(StockAction::Kind::kConnect, index);
}

// The connection is gone; the process may still be there.
void StockScheduler::LoseConnection(std::size_t index) {
  leases_.Unbind(index);
  if (slots_[index].alive) {
    SetState(index, SlotState::kParked);
  } else {
    Empty(index);
  }
}

// A slot of an older policy, or above the limit, goes as soon as nobody uses it.
void StockScheduler::RetireIfUnused(std::size_t index, Time now) {
  const Slot& slot = slots_[index];
  if (!slot.stale && index < policy_.processes) return;
  if (leases_.HasLease(index)) return;
  if (slot.state == SlotState::kReady || slot.state == SlotState::kParked ||
      slot.state == SlotState::kGreeting) {
    AskToEnd(index, now);
  }
}

void StockScheduler::AskToEnd(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state == SlotState::kReady || slot.state == SlotState::kGreeting) {
    Act(StockAction::Kind::kDisconnect, index);
  }
  leases_.Unbind(index);
  if (!slot.alive) {
    Empty(index);
    return;
  }
  Act(StockAction::Kind::kAskToEnd, index);
  slot.end_step = EndStep::kAsked;
  slot.end_deadline = now + policy_.ask_grace;
  SetState(index, SlotState::kEnding);
}

// The hard way, for a process that is stuck. Its request has been released.
void StockScheduler::Terminate(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state != SlotState::kParked && slot.state != SlotState::kEnding) {
    Act(StockAction::Kind::kDisconnect, index);
  }
  leases_.Unbind(index);
  if (!slot.alive) {
    Empty(index);
    return;
  }
  ++counts_.kills;
  Act(StockAction::Kind::kTerminate, index);
  slot.end_step = EndStep::kTerminated;
  slot.end_deadline = now + policy_.term_grace;
  SetState(index, SlotState::kEnding);
}

void StockScheduler::Empty(std::size_t index) {
  if (policy_.mode == StockMode::kSpawn) Act(StockAction::Kind::kRelease, index);
  SetState(index, SlotState::kEmpty);
}

void StockScheduler::StartFailed(const std::string& reason, Time now) {
  last_failure_ = reason;
  ++failed_starts_;
  auto wait = policy_.first_backoff;
  for (int i = 1; i < failed_starts_ && wait < policy_.longest_backoff; ++i) wait *= 2;
  blocked_until_ = now + std::min(wait, policy_.longest_backoff);
}

bool StockScheduler::NothingLives() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.state == SlotState::kEmpty || slot.state == SlotState::kEnding;
  });
}

void StockScheduler::ReleaseRequest(std::size_t index) {
  Slot& slot = slots_[index];
  const auto running = running_.find(requests_.at(slot.request).table);
  if (--running->second == 0) running_.erase(running);
  slot.request = 0;
}

void StockScheduler::Fail(RequestId id, const std::string& reason) {
  ++counts_.failures;
  requests_.erase(id);
  Act(StockAction::Kind::kFail, 0, id, reason);
}

void StockScheduler::FailWaiting(const std::string& reason) {
  for (const auto& [id, request] : std::exchange(waiting_, {})) Fail(id, reason);
}

void StockScheduler::SetState(std::size_t index, SlotState state) { slots_[index].state = state; }

void StockScheduler::Act(StockAction::Kind kind, std::size_t slot, RequestId request,
                         std::string reason) {
  actions_.push_back({kind, slot, request, std::move(reason)});
}

std::size_t StockScheduler::Count(SlotState state) const {
  return static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [state](const Slot& slot) { return slot.state == state; }));
}

void StockScheduler::ExpireSlots(Time now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    switch (slot.state) {
      case SlotState::kEmpty:
        break;
      case SlotState::kParked:
        if (now - slot.last_used >= policy_.process_idle) AskToEnd(i, now);
        break;
      case SlotState::kGreeting:
        if (policy_.mode == StockMode::kSpawn && now - slot.started >= policy_.greeting_timeout) {
          Terminate(i, now);
          StartFailed("the stock proxymap did not greet in time", now);
        }
        break;
      case SlotState::kReady:
        if (leases_.HasLease(i)) break;
        if (now - slot.last_used >= policy_.process_idle) {
          AskToEnd(i, now);
        } else if (now - slot.last_used >= policy_.connection_idle) {
          Act(StockAction::Kind::kDisconnect, i);
          LoseConnection(i);
        }
        break;
      case SlotState::kBusy: {
        const RequestId id = slot.request;
        if (requests_.at(id).deadline > now) break;
        const bool abandoned = requests_.at(id).abandoned;
        ReleaseRequest(i);
        if (abandoned) {
          requests_.erase(id);
        } else {
          Fail(id, "timed out waiting for the stock proxymap's reply");
        }
        Terminate(i, now);
        break;
      }
      case SlotState::kEnding:
        if (now < slot.end_deadline) break;
        if (slot.end_step == EndStep::kAsked) {
          Terminate(i, now);
        } else if (slot.end_step == EndStep::kTerminated) {
          slot.end_step = EndStep::kKilled;
          Act(StockAction::Kind::kKill, i);
        }
        break;
    }
  }
}

std::optional<StockScheduler::Time> StockScheduler::NextDeadline() const {
  std::optional<Time> next;
  const auto consider = [&next](Time at) {
    if (!next.has_value() || at < *next) next = at;
  };
  if (!waiting_.empty()) {
    consider(waiting_.begin()->second->deadline);
    if (blocked_until_ != Time{}) consider(blocked_until_);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    switch (slot.state) {
      case SlotState::kEmpty:
        break;
      case SlotState::kParked:
        consider(slot.last_used + policy_.process_idle);
        break;
      case SlotState::kGreeting:
        if (policy_.mode == StockMode::kSpawn) consider(slot.started + policy_.greeting_timeout);
        break;
      case SlotState::kReady:
        if (const auto lease_used = leases_.LastUsed(i); lease_used.has_value()) {
          consider(*lease_used + policy_.lease_idle);
        } else {
          consider(slot.last_used + std::min(policy_.connection_idle, policy_.process_idle));
        }
        break;
      case SlotState::kBusy:
        consider(requests_.at(slot.request).deadline);
        break;
      case SlotState::kEnding:
        if (slot.end_step != EndStep::kKilled) consider(slot.end_deadline);
        break;
    }
  }
  return next;
}

}  // namespace proxymux::proxy
