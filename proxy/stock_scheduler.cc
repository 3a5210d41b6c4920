#include "proxy/stock_scheduler.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>

namespace proxymux::proxy {

namespace {

constexpr std::size_t kStartsAtOnce = 2;
constexpr int kFailedStartsBeforeGivingUp = 3;
constexpr int kAttempts = 2;
// A process that ends this soon without having answered anything has not really started.
constexpr std::chrono::seconds kYoung{1};

std::size_t ReservedFor(std::size_t processes) {
  if (processes >= 4) return 2;
  return processes >= 2 ? 1 : 0;
}

}  // namespace

StockScheduler::StockScheduler(const StockPolicy& policy) : policy_(policy) {
  policy_.processes = std::max<std::size_t>(1, policy_.processes);
  slots_.resize(policy_.processes);
}

// --- Requests and leases ---

StockScheduler::LeaseId StockScheduler::OpenLease() {
  leases_.emplace(++last_lease_, Lease{});
  return last_lease_;
}

void StockScheduler::CloseLease(LeaseId lease, Time now) {
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return;
  if (found->second.slot.has_value()) UnbindSlot(*found->second.slot);
  leases_.erase(found);
  Dispatch(now);
}

StockScheduler::RequestId StockScheduler::Submit(const std::string& table, SequenceStep step,
                                                 LeaseId lease, Time now) {
  const RequestId id = ++last_request_;
  ++counts_.requests;
  requests_.emplace(id, Request{table, step, lease, now + policy_.request_timeout});
  if (stopping_) {
    Fail(id, "the relay to the stock proxymap is stopping");
  } else if (waiting_.size() >= policy_.queue_limit) {
    Fail(id, "too many requests wait for the stock proxymap (" +
                 std::to_string(policy_.queue_limit) + ")");
  } else {
    waiting_.emplace(id, &requests_.at(id));
    Dispatch(now);
  }
  return id;
}

void StockScheduler::Abandon(RequestId request, Time now) {
  const auto found = requests_.find(request);
  if (found == requests_.end()) return;
  if (waiting_.erase(request) > 0) {
    requests_.erase(found);
    Dispatch(now);  // when it was the last one, a drain may go on
  } else {
    found->second.abandoned = true;
  }
}

// --- What happened ---

void StockScheduler::OnGreeting(std::size_t slot, Time now) {
  Slot& it = slots_[slot];
  if (it.state != SlotState::kGreeting) return;
  it.greeted = true;
  it.connected = now;
  it.last_used = now;
  failed_starts_ = 0;
  blocked_until_ = Time{};
  SetState(slot, SlotState::kReady);
  Dispatch(now);
}

std::optional<StockScheduler::RequestId> StockScheduler::OnReply(std::size_t slot, Time now) {
  Slot& it = slots_[slot];
  if (it.state != SlotState::kBusy) return std::nullopt;
  const RequestId id = it.request;
  const bool abandoned = requests_.at(id).abandoned;
  ReleaseRequest(slot);
  requests_.erase(id);
  it.replied = true;
  it.last_used = now;
  if (const auto lease = leases_.find(it.lease); lease != leases_.end()) {
    lease->second.last_used = now;
  }
  if (!abandoned) ++counts_.replies;
  SetState(slot, SlotState::kReady);
  if (policy_.mode == StockMode::kSpawn && !it.alive) {
    // The process answered and ended: its exit was heard of before its last words.
    Act(StockAction::Kind::kDisconnect, slot);
    LoseConnection(slot);
  }
  Dispatch(now);
  return abandoned ? std::nullopt : std::optional(id);
}

void StockScheduler::OnClosed(std::size_t slot, bool reply_begun, const std::string& reason,
                              Time now) {
  Slot& it = slots_[slot];
  switch (it.state) {
    case SlotState::kEmpty:
    case SlotState::kParked:
    case SlotState::kEnding:
      return;
    case SlotState::kGreeting:
      LoseConnection(slot);
      // A process that takes connections and does not greet is of no use.
      if (it.state == SlotState::kParked) Terminate(slot, now);
      StartFailed(reason, now);
      break;
    case SlotState::kReady:
      LoseConnection(slot);
      break;
    case SlotState::kBusy: {
      const RequestId id = it.request;
      Request& request = requests_.at(id);
      it.blamed = true;
      ReleaseRequest(slot);
      if (request.abandoned) {
        requests_.erase(id);
      } else if (reply_begun) {
        Fail(id, "the stock proxymap ended in the middle of a reply: " + reason);
      } else if (request.step == SequenceStep::kNext || request.attempts >= kAttempts) {
        Fail(id, "the stock proxymap ended without a reply: " + reason);
      } else {
        waiting_.emplace(id, &request);
      }
      LoseConnection(slot);
      break;
    }
  }
  Dispatch(now);
}

void StockScheduler::OnSpawnFailed(std::size_t slot, const std::string& reason, Time now) {
  OnProcessEnded(slot, reason, now);
}

void StockScheduler::OnProcessEnded(std::size_t slot, const std::string& how, Time now) {
  Slot& it = slots_[slot];
  if (!it.alive) return;
  it.alive = false;
  const bool never_worked = !it.greeted || (!it.replied && now - it.started < kYoung);
  switch (it.state) {
    case SlotState::kEmpty:
      break;
    case SlotState::kEnding:
      Empty(slot);
      break;
    case SlotState::kParked:
    case SlotState::kReady:
      if (it.state == SlotState::kReady) Act(StockAction::Kind::kDisconnect, slot);
      LoseConnection(slot);
      if (never_worked && !it.blamed) StartFailed(how, now);
      replacing_ = true;
      break;
    case SlotState::kBusy:
      replacing_ = true;
      break;  // what is left of the reply, or the end of the connection, is still to be read
    case SlotState::kGreeting:
      if (never_worked || it.stale) {
        const bool blamed = it.blamed;
        Act(StockAction::Kind::kDisconnect, slot);
        LoseConnection(slot);
        replacing_ = true;
        if (blamed) {
          // Whoever sends what kills stock must not make us fork as fast as we can.
          blocked_until_ = std::max(blocked_until_, now + policy_.first_backoff);
        } else if (never_worked) {
          StartFailed(how, now);
        }
      } else {
        // It ended instead of accepting. Our connection waits in the listening socket for the next
        // process.
        replacing_ = true;
        it.started = now;
        Open(slot, now);
      }
      break;
  }
  Dispatch(now);
}

void StockScheduler::OnTime(Time now) {
  if (now >= blocked_until_) blocked_until_ = Time{};
  ExpireRequests(now);
  ExpireLeases(now);
  ExpireSlots(now);
  Dispatch(now);
}

void StockScheduler::ExpireRequests(Time now) {
  // Numbers rise with deadlines, so the first that is not due ends the search; a policy with a
  // shorter timeout delays at most by the older timeout.
  while (!waiting_.empty()) {
    const auto [id, request] = *waiting_.begin();
    if (request->deadline > now) break;
    waiting_.erase(waiting_.begin());
    Fail(id, "timed out waiting for a free stock proxymap" +
                 (last_failure_.empty() ? std::string() : "; last failure: " + last_failure_));
  }
}

void StockScheduler::ExpireLeases(Time now) {
  for (auto& [id, lease] : leases_) {
    if (!lease.slot.has_value() || now - lease.last_used < policy_.lease_idle) continue;
    if (slots_[*lease.slot].state == SlotState::kReady) UnbindSlot(*lease.slot);
  }
}

// --- The whole ---

void StockScheduler::SetPolicy(const StockPolicy& policy, Time now) {
  assert(policy.mode == policy_.mode);
  policy_ = policy;
  policy_.processes = std::max<std::size_t>(1, policy_.processes);
  // Slots above a lower limit stay until they are empty; none of them is opened again.
  if (slots_.size() < policy_.processes) slots_.resize(policy_.processes);
  for (Slot& slot : slots_) slot.stale = slot.state != SlotState::kEmpty;
  Dispatch(now);
}

void StockScheduler::Drain(Time now) {
  draining_ = true;
  Dispatch(now);
}

void StockScheduler::Stop(Time now) {
  stopping_ = true;
  FailWaiting("the relay to the stock proxymap is stopping");
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    switch (slots_[i].state) {
      case SlotState::kEmpty:
      case SlotState::kEnding:
        break;
      case SlotState::kParked:
      case SlotState::kGreeting:
      case SlotState::kReady:
        AskToEnd(i, now);
        break;
      case SlotState::kBusy: {
        const RequestId id = slots_[i].request;
        const bool abandoned = requests_.at(id).abandoned;
        ReleaseRequest(i);
        if (abandoned) {
          requests_.erase(id);
        } else {
          Fail(id, "the relay to the stock proxymap is stopping");
        }
        Terminate(i, now);
        break;
      }
    }
  }
}

bool StockScheduler::Stopped() const {
  return stopping_ && Count(SlotState::kEmpty) == slots_.size();
}

std::vector<StockAction> StockScheduler::TakeActions() { return std::exchange(actions_, {}); }

RelayStatus StockScheduler::Status() const {
  RelayStatus status = counts_;
  for (const Slot& slot : slots_) {
    const bool there =
        policy_.mode == StockMode::kSpawn ? slot.alive : slot.state != SlotState::kEmpty;
    if (there) ++status.processes;
    if (slot.state == SlotState::kBusy) ++status.busy;
  }
  status.queued = static_cast<std::int64_t>(waiting_.size());
  status.leases = static_cast<std::int64_t>(bound_leases_);
  return status;
}

// --- Which request goes where ---

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
    const auto lease = leases_.find(request.lease);
    if (lease != leases_.end() && lease->second.slot.has_value()) {
      *slot = *lease->second.slot;
      return slots_[*slot].state == SlotState::kReady ? Choice::kSlot : Choice::kWait;
    }
    if (request.step == SequenceStep::kNext) return Choice::kLost;
    if (lease != leases_.end() &&
        bound_leases_ >= std::max<std::size_t>(1, policy_.processes / 2)) {
      return Choice::kWait;
    }
  }
  if (!LeavesRoom(request)) return Choice::kWait;
  std::optional<std::size_t> best;    // the one used last: the others may then become idle
  std::optional<std::size_t> leased;  // with a lease of somebody else
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& candidate = slots_[i];
    if (candidate.state != SlotState::kReady) continue;
    if (candidate.lease != kNoLease) {
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
        if (slot.lease == kNoLease && !FreshEnough(slot, now)) rank = 3;
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
  if (request.step != SequenceStep::kNone) {
    if (const auto lease = leases_.find(request.lease); lease != leases_.end()) {
      lease->second.last_used = now;
      if (!lease->second.slot.has_value()) {
        lease->second.slot = index;
        slot.lease = request.lease;
        ++bound_leases_;
      }
    }
  }
  SetState(index, SlotState::kBusy);
  Act(StockAction::Kind::kSend, index, id);
}

}  // namespace proxymux::proxy
