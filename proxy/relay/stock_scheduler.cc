#include "proxy/relay/stock_scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace proxymux::proxy {
namespace {

constexpr int kAttempts = 2;
// A process that ends this soon without having answered anything has not really started.
constexpr std::chrono::seconds kYoung{1};

}  // namespace

StockScheduler::StockScheduler(const StockPolicy& policy) : policy_(policy) {
  policy_.processes = std::max<std::size_t>(1, policy_.processes);
  slots_.resize(policy_.processes);
}

// --- Requests and leases ---

StockScheduler::LeaseId StockScheduler::OpenLease() { return leases_.Open(); }

void StockScheduler::CloseLease(LeaseId lease, Time now) {
  if (!leases_.IsOpen(lease)) return;
  leases_.Close(lease);
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
  leases_.Touch(slot, now);
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
  for (const std::size_t slot : leases_.BoundSlots()) {
    if (now - *leases_.LastUsed(slot) < policy_.lease_idle) continue;
    if (slots_[slot].state == SlotState::kReady) leases_.Unbind(slot);
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
  status.leases = static_cast<std::int64_t>(leases_.bound());
  return status;
}

}  // namespace proxymux::proxy
