#include "proxy/relay/stock_scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace proxymux::proxy {
namespace {

constexpr int kAttempts = 2;
constexpr std::size_t kStartsAtOnce = 2;
constexpr char kStopping[] = "the relay to the stock proxymap is stopping";

StockPolicy WithASlot(StockPolicy policy) {
  policy.processes = std::max<std::size_t>(1, policy.processes);
  return policy;
}

}  // namespace

StockScheduler::StockScheduler(const StockPolicy& policy)
    : policy_(WithASlot(policy)),
      slots_(&policy_, &leases_, &actions_),
      starts_(&policy_),
      placement_(&policy_, &slots_, &leases_, &requests_) {}

void StockScheduler::CloseLease(LeaseId lease, Time now) {
  if (!leases_.IsOpen(lease)) return;
  leases_.Close(lease);
  Dispatch(now);
}

StockScheduler::RequestId StockScheduler::Submit(const std::string& table, SequenceStep step,
                                                 LeaseId lease, Time now) {
  ++submitted_;
  const RequestId id = requests_.Add({table, step, lease, now + policy_.request_timeout});
  if (state_ == State::kStopping) {
    Fail(id, kStopping);
  } else if (requests_.waiting().size() >= policy_.queue_limit) {
    Fail(id, "too many requests wait for the stock proxymap (" +
                 std::to_string(policy_.queue_limit) + ")");
  } else {
    requests_.Wait(id);
    Dispatch(now);
  }
  return id;
}

void StockScheduler::Abandon(RequestId request, Time now) {
  if (requests_.Abandon(request)) Dispatch(now);  // when it was the last one, a drain may go on
}

void StockScheduler::Dispatch(Time now) {
  if (state_ == State::kStopping) return;
  slots_.RetireUnused(now);
  const std::size_t unserved = ServeWaiting(now);
  std::size_t starting = slots_.Count(SlotState::kGreeting);
  while (unserved > starting && starting < kStartsAtOnce && starts_.MayStart(now)) {
    const std::optional<std::size_t> slot = placement_.FindOpenable(now);
    if (!slot.has_value()) break;
    slots_.Open(*slot, now);
    ++starting;
  }
  const std::size_t dead = slots_.Count(SlotState::kEmpty) + slots_.Count(SlotState::kEnding);
  if (starts_.Hopeless(now) && dead == slots_.size()) {
    FailWaiting("the stock proxymap cannot be reached: " + starts_.last_failure());
  }
  if (state_ == State::kDraining && requests_.waiting().empty()) slots_.EndUnused(now);
}

std::size_t StockScheduler::ServeWaiting(Time now) {
  std::size_t unserved = 0;
  std::size_t lines = 0;  // that need a slot opened; more than there are slots change nothing
  for (auto head = requests_.NextHead(0); head.has_value() && lines < slots_.size();
       head = requests_.NextHead(*head)) {
    const StockPlacement::Choice choice = placement_.Choose(requests_.Get(*head), now);
    switch (choice.kind) {
      case StockPlacement::Kind::kSlot:
        Assign(*head, choice.slot, now);  // the next of its line is a head now, and comes later
        break;
      case StockPlacement::Kind::kOpenOne:
        unserved += requests_.LineOf(*head).size();
        ++lines;
        break;
      case StockPlacement::Kind::kWait:  // its whole line
        break;
      case StockPlacement::Kind::kLost:
        Fail(*head,
             "the position of a sequence of requests was lost: the stock connection is gone");
        break;
    }
  }
  return unserved;
}

void StockScheduler::Assign(RequestId id, std::size_t slot, Time now) {
  requests_.Start(id);
  const StockRequests::Request& request = requests_.Get(id);
  if (request.step != SequenceStep::kNone) leases_.Use(request.lease, slot, now);
  slots_.Give(slot, id, now);
}

void StockScheduler::OnGreeting(std::size_t slot, Time now) {
  if (slots_.state(slot) != SlotState::kGreeting) return;
  slots_.OnGreeting(slot, now);
  starts_.OnGreeting();
  Dispatch(now);
}

std::optional<StockScheduler::RequestId> StockScheduler::OnReply(std::size_t slot, Time now) {
  if (slots_.state(slot) != SlotState::kBusy) return std::nullopt;
  const RequestId id = slots_.TakeRequest(slot);
  const bool abandoned = requests_.Get(id).abandoned;
  requests_.Leave(id);
  requests_.Remove(id);
  if (!abandoned) ++replies_;
  slots_.OnReply(slot, now);
  Dispatch(now);
  return abandoned ? std::nullopt : std::optional(id);
}

void StockScheduler::OnClosed(std::size_t slot, bool reply_begun, const std::string& reason,
                              Time now) {
  switch (slots_.state(slot)) {
    case SlotState::kEmpty:
    case SlotState::kParked:
    case SlotState::kEnding:
      return;
    case SlotState::kGreeting:
      slots_.OnClosed(slot, now);
      starts_.OnFailed(reason, now);
      break;
    case SlotState::kReady:
      slots_.OnClosed(slot, now);
      break;
    case SlotState::kBusy:
      Repeat(slot, reply_begun, reason);
      slots_.OnClosed(slot, now);
      break;
  }
  Dispatch(now);
}

// Once more, or not: the connection that its request was sent on has ended.
void StockScheduler::Repeat(std::size_t slot, bool reply_begun, const std::string& reason) {
  const StockRequests::Request& request = requests_.Get(slots_.request(slot));
  if (reply_begun) {
    EndRequestOf(slot, "the stock proxymap ended in the middle of a reply: " + reason);
  } else if (request.abandoned || request.step == SequenceStep::kNext ||
             request.attempts >= kAttempts) {
    EndRequestOf(slot, "the stock proxymap ended without a reply: " + reason);
  } else {
    const RequestId id = slots_.TakeRequest(slot);
    requests_.Leave(id);
    requests_.Wait(id);
  }
}

void StockScheduler::OnProcessEnded(std::size_t slot, const std::string& how, Time now) {
  if (!slots_.alive(slot)) return;
  switch (slots_.OnProcessEnded(slot, now)) {
    case StockSlots::Blame::kNobody:
      break;
    case StockSlots::Blame::kStart:
      starts_.OnFailed(how, now);
      break;
    case StockSlots::Blame::kRequest:
      // Whoever sends what kills stock must not make us fork as fast as we can.
      starts_.HoldBack(now);
      break;
  }
  Dispatch(now);
}

void StockScheduler::EndRequestOf(std::size_t slot, const std::string& reason) {
  const RequestId id = slots_.TakeRequest(slot);
  requests_.Leave(id);
  if (requests_.Get(id).abandoned) {
    requests_.Remove(id);
  } else {
    Fail(id, reason);
  }
}

void StockScheduler::Fail(RequestId id, const std::string& reason) {
  ++failures_;
  requests_.Remove(id);
  actions_.push_back({StockAction::Kind::kFail, 0, id, reason});
}

void StockScheduler::FailWaiting(const std::string& reason) {
  for (const RequestId id : requests_.TakeWaiting()) Fail(id, reason);
}

void StockScheduler::OnTime(Time now) {
  starts_.OnTime(now);
  ExpireRequests(now);
  slots_.FreeIdleLeases(now);
  ExpireSlots(now);
  Dispatch(now);
}

void StockScheduler::ExpireRequests(Time now) {
  while (const std::optional<RequestId> id = requests_.TakeExpired(now)) {
    const std::string& failure = starts_.last_failure();
    Fail(*id, "timed out waiting for a free stock proxymap" +
                  (failure.empty() ? std::string() : "; last failure: " + failure));
  }
}

void StockScheduler::ExpireSlots(Time now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_.state(i) != SlotState::kBusy) {
      if (slots_.Expire(i, now)) {
        starts_.OnFailed("the stock proxymap did not greet in time", now);
      }
    } else if (requests_.Get(slots_.request(i)).deadline <= now) {
      EndRequestOf(i, "timed out waiting for the stock proxymap's reply");
      slots_.Terminate(i, now);
    }
  }
}

std::optional<StockScheduler::Time> StockScheduler::NextDeadline() const {
  std::optional<Time> next;
  const auto consider = [&next](Time at) {
    if (!next.has_value() || at < *next) next = at;
  };
  if (!requests_.waiting().empty()) {
    consider(requests_.waiting().begin()->second->deadline);
    if (starts_.blocked_until() != Time{}) consider(starts_.blocked_until());
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_.state(i) == SlotState::kBusy) {
      consider(requests_.Get(slots_.request(i)).deadline);
    } else if (const auto deadline = slots_.Deadline(i)) {
      consider(*deadline);
    }
  }
  return next;
}

void StockScheduler::SetPolicy(const StockPolicy& policy, Time now) {
  assert(policy.mode == policy_.mode);
  policy_ = WithASlot(policy);
  slots_.OnPolicy();
  Dispatch(now);
}

void StockScheduler::Drain(Time now) {
  if (state_ == State::kServing) SetState(State::kDraining);
  Dispatch(now);
}

void StockScheduler::Stop(Time now) {
  SetState(State::kStopping);
  FailWaiting(kStopping);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    switch (slots_.state(i)) {
      case SlotState::kEmpty:
      case SlotState::kEnding:
        break;
      case SlotState::kParked:
      case SlotState::kGreeting:
      case SlotState::kReady:
        slots_.AskToEnd(i, now);
        break;
      case SlotState::kBusy:
        EndRequestOf(i, kStopping);
        slots_.Terminate(i, now);
        break;
    }
  }
}

std::vector<StockAction> StockScheduler::TakeActions() { return std::exchange(actions_, {}); }

RelayStatus StockScheduler::Status() const {
  RelayStatus status;
  slots_.AddTo(&status);
  status.queued = static_cast<std::int64_t>(requests_.waiting().size());
  status.leases = static_cast<std::int64_t>(leases_.bound());
  status.requests = submitted_;
  status.replies = replies_;
  status.failures = failures_;
  return status;
}

}  // namespace proxymux::proxy
