// A scheduler on virtual time, and what it has asked for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/relay/stock_scheduler.h"

namespace proxymux::proxy {

inline StockPolicy SpawnPolicy(std::size_t processes) {
  StockPolicy policy;
  policy.mode = StockMode::kSpawn;
  policy.processes = processes;
  return policy;
}

inline StockPolicy ServicePolicy(std::size_t connections) {
  StockPolicy policy;
  policy.processes = connections;
  return policy;
}

class SchedulerWorld {
 public:
  using Kind = StockAction::Kind;
  using RequestId = StockScheduler::RequestId;

  explicit SchedulerWorld(const StockPolicy& policy) : scheduler(policy) {}

  RequestId Ask(const std::string& table, SequenceStep step = SequenceStep::kNone,
                StockScheduler::LeaseId lease = StockScheduler::kNoLease) {
    const RequestId id = scheduler.Submit(table, step, lease, now);
    Take();
    return id;
  }
  void Greet(std::size_t slot) {
    scheduler.OnGreeting(slot, now);
    Take();
  }
  std::optional<RequestId> Reply(std::size_t slot) {
    const auto id = scheduler.OnReply(slot, now);
    Take();
    return id;
  }
  void Close(std::size_t slot, bool reply_begun = false) {
    scheduler.OnClosed(slot, reply_begun, "closed", now);
    Take();
  }
  void End(std::size_t slot) {
    scheduler.OnProcessEnded(slot, "exit status 1", now);
    Take();
  }
  // Goes on to the scheduler's own deadlines, as the event loop would, until `by` has passed.
  void Pass(std::chrono::milliseconds by) {
    const auto end = now + by;
    for (int turns = 0; turns < 1000; ++turns) {
      const auto next = scheduler.NextDeadline();
      if (!next.has_value() || *next > end) {
        now = end;
        return;
      }
      now = std::max(now, *next);
      scheduler.OnTime(now);
      Take();
    }
    ADD_FAILURE() << "the deadlines do not move on: the event loop would spin";
  }
  void Take() {
    for (StockAction& action : scheduler.TakeActions()) log.push_back(std::move(action));
  }

  // How often `kind` was asked for since the last call; forgets these.
  std::size_t Took(Kind kind) {
    const auto matches = [kind](const StockAction& action) { return action.kind == kind; };
    const auto count = std::count_if(log.begin(), log.end(), matches);
    log.erase(std::remove_if(log.begin(), log.end(), matches), log.end());
    return static_cast<std::size_t>(count);
  }
  std::optional<std::size_t> SlotOf(RequestId id) {  // by the last kSend
    std::optional<std::size_t> slot;
    for (const StockAction& action : log) {
      if (action.kind == Kind::kSend && action.request == id) slot = action.slot;
    }
    return slot;
  }
  std::string FailureOf(RequestId id) {
    for (const StockAction& action : log) {
      if (action.kind == Kind::kFail && action.request == id) return action.reason;
    }
    return "";
  }
  // Opens slots until `count` requests for different tables run; returns the requests, in slot
  // order.
  std::vector<RequestId> Occupy(std::size_t count) {
    std::vector<RequestId> ids;
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(Ask("ldap:slow" + std::to_string(i)));
      Greet(i);
    }
    return ids;
  }

  StockScheduler scheduler;
  StockScheduler::Time now{std::chrono::hours(1)};
  std::vector<StockAction> log;
};

}  // namespace proxymux::proxy
