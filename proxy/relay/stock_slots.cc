#include "proxy/relay/stock_slots.h"

#include <algorithm>
#include <utility>

namespace proxymux::proxy {
namespace {

// A process that ends this soon without having answered anything has not really started.
constexpr std::chrono::seconds kYoung{1};

// There is something, and nobody uses it.
bool IsUnused(StockSlots::State state) {
  using State = StockSlots::State;
  return state == State::kReady || state == State::kParked || state == State::kGreeting;
}

}  // namespace

StockSlots::StockSlots(const StockPolicy* policy, StockLeases* leases,
                       std::vector<StockAction>* actions)
    : policy_(policy), leases_(leases), actions_(actions), slots_(policy->processes) {}

bool StockSlots::IsFresh(std::size_t slot, Time now) const {
  return now - slots_[slot].connected < policy_->connection_ttl;
}

std::size_t StockSlots::Count(State state) const {
  return static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [state](const Slot& slot) { return slot.state == state; }));
}

void StockSlots::AddTo(RelayStatus* status) const {
  for (const Slot& slot : slots_) {
    const bool there = Spawns() ? slot.alive : slot.state != State::kEmpty;
    if (there) ++status->processes;
    if (slot.state == State::kBusy) ++status->busy;
  }
  status->starts += starts_;
  status->restarts += restarts_;
  status->kills += kills_;
}

void StockSlots::OnPolicy() {
  // None of those above a lower limit is opened again.
  if (slots_.size() < policy_->processes) slots_.resize(policy_->processes);
  for (Slot& slot : slots_) slot.stale = slot.state != State::kEmpty;
}

void StockSlots::Open(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (Spawns() && !slot.alive) {
    slot.alive = true;
    slot.greeted = false;
    slot.replied = false;
    slot.blamed = false;
    slot.stale = false;
    slot.started = now;
    ++starts_;
    if (std::exchange(replacing_, false)) ++restarts_;
    Act(StockAction::Kind::kSpawn, index);
  }
  if (slot.state != State::kGreeting) Connect(index, now);
}

void StockSlots::Connect(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state == State::kReady) Act(StockAction::Kind::kDisconnect, index);
  if (!Spawns()) {
    slot.stale = false;
    ++starts_;
  }
  slot.started = now;
  slot.last_used = now;
  SetState(index, State::kGreeting);
  Act(StockAction::Kind::kConnect, index);
}

void StockSlots::Give(std::size_t index, RequestId request, Time now) {
  Slot& slot = slots_[index];
  slot.request = request;
  slot.last_used = now;
  SetState(index, State::kBusy);
  Act(StockAction::Kind::kSend, index, request);
}

StockSlots::RequestId StockSlots::TakeRequest(std::size_t index) {
  return std::exchange(slots_[index].request, 0);
}

void StockSlots::OnGreeting(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  slot.greeted = true;
  slot.connected = now;
  slot.last_used = now;
  SetState(index, State::kReady);
}

void StockSlots::OnReply(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  slot.replied = true;
  slot.last_used = now;
  leases_->Touch(index, now);
  SetState(index, State::kReady);
  if (!Spawns() || slot.alive) return;
  // The process answered and ended: its exit was heard of before its last words.
  Act(StockAction::Kind::kDisconnect, index);
  LoseConnection(index);
}

void StockSlots::OnClosed(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  const bool greeting = slot.state == State::kGreeting;
  if (slot.state == State::kBusy) slot.blamed = true;
  LoseConnection(index);
  // A process that takes connections and does not greet is of no use.
  if (greeting && slot.state == State::kParked) Terminate(index, now);
}

void StockSlots::LoseConnection(std::size_t index) {
  leases_->Unbind(index);
  if (slots_[index].alive) {
    SetState(index, State::kParked);
  } else {
    Empty(index);
  }
}

StockSlots::Blame StockSlots::OnProcessEnded(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  slot.alive = false;
  const bool never_worked = !slot.greeted || (!slot.replied && now - slot.started < kYoung);
  switch (slot.state) {
    case State::kEmpty:
      return Blame::kNobody;
    case State::kEnding:
      Empty(index);
      return Blame::kNobody;
    case State::kBusy:
      replacing_ = true;
      return Blame::kNobody;  // what is left of the reply, or the end of the connection, is still
                              // to be read
    case State::kReady:
      Act(StockAction::Kind::kDisconnect, index);
      [[fallthrough]];
    case State::kParked:
      LoseConnection(index);
      replacing_ = true;
      return never_worked && !slot.blamed ? Blame::kStart : Blame::kNobody;
    case State::kGreeting:
      break;
  }
  replacing_ = true;
  if (!never_worked && !slot.stale) {
    // It ended instead of accepting. Our connection waits in the listening socket for the next
    // process.
    slot.started = now;
    Open(index, now);
    return Blame::kNobody;
  }
  const bool blamed = slot.blamed;
  Act(StockAction::Kind::kDisconnect, index);
  LoseConnection(index);
  if (blamed) return Blame::kRequest;
  return never_worked ? Blame::kStart : Blame::kNobody;
}

void StockSlots::RetireUnused(Time now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].stale && i < policy_->processes) continue;
    if (!leases_->HasLease(i) && IsUnused(state(i))) AskToEnd(i, now);
  }
}

void StockSlots::EndUnused(Time now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (IsUnused(state(i))) AskToEnd(i, now);
  }
}

void StockSlots::AskToEnd(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state == State::kReady || slot.state == State::kGreeting) {
    Act(StockAction::Kind::kDisconnect, index);
  }
  leases_->Unbind(index);
  if (!slot.alive) {
    Empty(index);
    return;
  }
  Act(StockAction::Kind::kAskToEnd, index);
  slot.end_step = EndStep::kAsked;
  slot.end_deadline = now + policy_->ask_grace;
  SetState(index, State::kEnding);
}

void StockSlots::Terminate(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  if (slot.state != State::kParked && slot.state != State::kEnding) {
    Act(StockAction::Kind::kDisconnect, index);
  }
  leases_->Unbind(index);
  if (!slot.alive) {
    Empty(index);
    return;
  }
  ++kills_;
  Act(StockAction::Kind::kTerminate, index);
  slot.end_step = EndStep::kTerminated;
  slot.end_deadline = now + policy_->term_grace;
  SetState(index, State::kEnding);
}

void StockSlots::Empty(std::size_t index) {
  if (Spawns()) Act(StockAction::Kind::kRelease, index);
  SetState(index, State::kEmpty);
}

void StockSlots::Act(StockAction::Kind kind, std::size_t slot, RequestId request) {
  actions_->push_back({kind, slot, request, {}});
}

bool StockSlots::Expire(std::size_t index, Time now) {
  Slot& slot = slots_[index];
  switch (slot.state) {
    case State::kEmpty:
    case State::kBusy:
      break;
    case State::kParked:
      if (now - slot.last_used >= policy_->process_idle) AskToEnd(index, now);
      break;
    case State::kGreeting:
      if (Spawns() && now - slot.started >= policy_->greeting_timeout) {
        Terminate(index, now);
        return true;
      }
      break;
    case State::kReady:
      if (leases_->HasLease(index)) break;
      if (now - slot.last_used >= policy_->process_idle) {
        AskToEnd(index, now);
      } else if (now - slot.last_used >= policy_->connection_idle) {
        Act(StockAction::Kind::kDisconnect, index);
        LoseConnection(index);
      }
      break;
    case State::kEnding:
      if (now < slot.end_deadline) break;
      if (slot.end_step == EndStep::kAsked) {
        Terminate(index, now);
      } else if (slot.end_step == EndStep::kTerminated) {
        slot.end_step = EndStep::kKilled;
        Act(StockAction::Kind::kKill, index);
      }
      break;
  }
  return false;
}

void StockSlots::FreeIdleLeases(Time now) {
  for (const std::size_t slot : leases_->BoundSlots()) {
    if (now - *leases_->LastUsed(slot) < policy_->lease_idle) continue;
    if (state(slot) == State::kReady) leases_->Unbind(slot);
  }
}

std::optional<StockSlots::Time> StockSlots::Deadline(std::size_t index) const {
  const Slot& slot = slots_[index];
  switch (slot.state) {
    case State::kEmpty:
    case State::kBusy:
      break;
    case State::kParked:
      return slot.last_used + policy_->process_idle;
    case State::kGreeting:
      if (Spawns()) return slot.started + policy_->greeting_timeout;
      break;
    case State::kReady:
      if (const auto used = leases_->LastUsed(index)) return *used + policy_->lease_idle;
      return slot.last_used + std::min(policy_->connection_idle, policy_->process_idle);
    case State::kEnding:
      if (slot.end_step != EndStep::kKilled) return slot.end_deadline;
      break;
  }
  return std::nullopt;
}

}  // namespace proxymux::proxy
