// Which request goes where, and when a slot is opened for it. What happens to slots is in
// stock_scheduler.cc and stock_scheduler_slots.cc.
#include <algorithm>
#include <string_view>

#include "proxy/relay/stock_scheduler.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kStartsAtOnce = 2;
constexpr int kFailedStartsBeforeGivingUp = 3;

std::size_t ReservedFor(std::size_t processes) {
  if (processes >= 4) return 2;
  return processes >= 2 ? 1 : 0;
}

}  // namespace

void StockScheduler::Dispatch(Time now) {
  if (stopping_) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) RetireIfUnused(i, now);
  std::size_t unserved = 0;
  std::vector<std::string_view> full;  // tables that must wait for others to finish
  for (auto it = waiting_.begin(); it != waiting_.end() && unserved < slots_.size();) {
    const auto [id, request] = *it++;
    // Looked at already: its table must wait. (Not so a sequence, which has a slot of its own.)
    if (request->step == SequenceStep::kNone &&
        std::find(full.begin(), full.end(), request->table) != full.end()) {
      continue;
    }
    std::size_t slot = 0;
    switch (Choose(*request, now, &slot)) {
      case Choice::kSlot:
        waiting_.erase(id);
        Assign(id, slot, now);
        break;
      case Choice::kOpenOne:
        ++unserved;
        break;
      case Choice::kWait:
        if (request->step == SequenceStep::kNone) full.push_back(request->table);
        break;
      case Choice::kLost:
        waiting_.erase(id);
        Fail(id, "the position of a sequence of requests was lost: the stock connection is gone");
        break;
    }
  }
  std::size_t starting = Count(SlotState::kGreeting);
  while (unserved > starting && starting < kStartsAtOnce && now >= blocked_until_) {
    const std::optional<std::size_t> slot = FindOpenable(now);
    if (!slot.has_value()) break;
    Open(*slot, now);
    ++starting;
  }
  if (now < blocked_until_ && failed_starts_ >= kFailedStartsBeforeGivingUp && NothingLives()) {
    FailWaiting("the stock proxymap cannot be reached: " + last_failure_);
  }
  if (draining_ && waiting_.empty()) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const SlotState state = slots_[i].state;
      if (state == SlotState::kReady || state == SlotState::kParked ||
          state == SlotState::kGreeting) {
        AskToEnd(i, now);
      }
    }
  }
}

StockScheduler::Choice StockScheduler::Choose(const Request& request, Time now,
                                              std::size_t* slot) const {
  if (request.step != SequenceStep::kNone) {
    if (const auto bound = leases_.SlotOf(request.lease); bound.has_value()) {
      *slot = *bound;
      return slots_[*slot].state == SlotState::kReady ? Choice::kSlot : Choice::kWait;
    }
    if (request.step == SequenceStep::kNext) return Choice::kLost;
    if (leases_.IsOpen(request.lease) &&
        leases_.bound() >= std::max<std::size_t>(1, policy_.processes / 2)) {
      return Choice::kWait;
    }
  }
  if (!LeavesRoom(request)) return Choice::kWait;
  std::optional<std::size_t> best;    // the one used last: the others may then become idle
  std::optional<std::size_t> leased;  // with a lease of somebody else
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& candidate = slots_[i];
    if (candidate.state != SlotState::kReady) continue;
    if (leases_.HasLease(i)) {
      leased = i;
    } else if (FreshEnough(candidate, now) &&
               (!best.has_value() || candidate.last_used > slots_[*best].last_used)) {
      best = i;
    }
  }
  if (best.has_value()) {
    *slot = *best;
    return Choice::kSlot;
  }
  if (request.step == SequenceStep::kNone && leased.has_value() && !FindOpenable(now).has_value() &&
      Count(SlotState::kGreeting) == 0) {
    *slot = *leased;
    return Choice::kSlot;
  }
  return Choice::kOpenOne;
}

bool StockScheduler::FreshEnough(const Slot& slot, Time now) const {
  return now - slot.connected < policy_.connection_ttl;
}

bool StockScheduler::LeavesRoom(const Request& request) const {
  const auto running = running_.find(request.table);
  if (running == running_.end()) return true;
  const std::size_t busy = Count(SlotState::kBusy);
  return busy + ReservedFor(policy_.processes) < policy_.processes;
}

// A slot that a connection can be made for: best one whose connection is only too old, then one
// with a process, then none.
std::optional<std::size_t> StockScheduler::FindOpenable(Time now) const {
  std::optional<std::size_t> best;
  int best_rank = 0;
  for (std::size_t i = 0; i < slots_.size() && i < policy_.processes; ++i) {
    const Slot& slot = slots_[i];
    int rank = 0;
    switch (slot.state) {
      case SlotState::kReady:
        if (!leases_.HasLease(i) && !FreshEnough(slot, now)) rank = 3;
        break;
      case SlotState::kParked:
        rank = 2;
        break;
      case SlotState::kEmpty:
        rank = 1;
        break;
      case SlotState::kGreeting:
      case SlotState::kBusy:
      case SlotState::kEnding:
        break;
    }
    if (rank > best_rank ||
        (rank > 0 && rank == best_rank && slot.last_used > slots_[*best].last_used)) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

void StockScheduler::Assign(RequestId id, std::size_t index, Time now) {
  Request& request = requests_.at(id);
  Slot& slot = slots_[index];
  ++request.attempts;
  ++running_[request.table];
  slot.request = id;
  slot.last_used = now;
  if (request.step != SequenceStep::kNone && leases_.IsOpen(request.lease)) {
    if (leases_.SlotOf(request.lease).has_value()) {
      leases_.Touch(index, now);
    } else {
      leases_.Bind(request.lease, index, now);
    }
  }
  SetState(index, SlotState::kBusy);
  Act(StockAction::Kind::kSend, index, id);
}

}  // namespace proxymux::proxy
