#include "proxy/relay/stock_placement.h"

#include <algorithm>

namespace proxymux::proxy {
namespace {

using State = StockSlots::State;

std::size_t ReservedFor(std::size_t processes) {
  if (processes >= 4) return 2;
  return processes >= 2 ? 1 : 0;
}

}  // namespace

StockPlacement::Choice StockPlacement::Choose(const StockRequests::Request& request,
                                              Time now) const {
  if (request.step != SequenceStep::kNone) {
    if (const auto bound = leases_->SlotOf(request.lease); bound.has_value()) {
      return {slots_->state(*bound) == State::kReady ? Kind::kSlot : Kind::kWait, *bound};
    }
    if (request.step == SequenceStep::kNext) return {Kind::kLost};
    if (leases_->IsOpen(request.lease) &&
        leases_->bound() >= std::max<std::size_t>(1, policy_->processes / 2)) {
      return {Kind::kWait};
    }
  }
  return LeavesRoom(request) ? ChooseReady(request, now) : Choice{Kind::kWait};
}

StockPlacement::Choice StockPlacement::ChooseReady(const StockRequests::Request& request,
                                                   Time now) const {
  std::optional<std::size_t> best;    // the one used last: the others may then become idle
  std::optional<std::size_t> leased;  // with a lease of somebody else
  for (std::size_t i = 0; i < slots_->size(); ++i) {
    if (slots_->state(i) != State::kReady) continue;
    if (leases_->HasLease(i)) {
      leased = i;
    } else if (slots_->IsFresh(i, now) &&
               (!best.has_value() || slots_->last_used(i) > slots_->last_used(*best))) {
      best = i;
    }
  }
  if (best.has_value()) return {Kind::kSlot, *best};
  if (request.step == SequenceStep::kNone && leased.has_value() && !FindOpenable(now).has_value() &&
      slots_->Count(State::kGreeting) == 0) {
    return {Kind::kSlot, *leased};
  }
  return {Kind::kOpenOne};
}

bool StockPlacement::LeavesRoom(const StockRequests::Request& request) const {
  if (!requests_->WorkedOn(request.table)) return true;
  const std::size_t busy = slots_->Count(State::kBusy);
  return busy + ReservedFor(policy_->processes) < policy_->processes;
}

std::optional<std::size_t> StockPlacement::FindOpenable(Time now) const {
  std::optional<std::size_t> best;
  int best_rank = 0;
  for (std::size_t i = 0; i < slots_->size() && i < policy_->processes; ++i) {
    int rank = 0;
    switch (slots_->state(i)) {
      case State::kReady:
        if (!leases_->HasLease(i) && !slots_->IsFresh(i, now)) rank = 3;
        break;
      case State::kParked:
        rank = 2;
        break;
      case State::kEmpty:
        rank = 1;
        break;
      case State::kGreeting:
      case State::kBusy:
      case State::kEnding:
        break;
    }
    if (rank > best_rank ||
        (rank > 0 && rank == best_rank && slots_->last_used(i) > slots_->last_used(*best))) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace proxymux::proxy
