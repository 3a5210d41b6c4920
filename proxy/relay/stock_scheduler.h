// Decides which stock proxymap gets which request, and when stock daemons are started, reconnected,
// ended and killed.
//
// Pure: every call takes `now`; what is to be done comes out of TakeActions(), in order, and is
// carried out by UvRelay. The scheduler knows requests by number only; the shell keeps their bytes.
//
// It puts together what each of its parts knows: StockRequests what waits, StockSlots the life of
// the slots, StockLeases who has which slot for `sequence`, StockStarts how starting goes, and
// StockPlacement which slot is the right one.
//
// A slot has one request at a time: stock is synchronous. A request given up by its client keeps
// its slot until the reply has come and been thrown away, since the process is busy until then.
//
// clang-format off
// Rules:
//   - A slot is opened only when a request waits and no slot is free; at most two slots at once are
//     on their way up. A process that ends before it has greeted is a failed start: the next start
//     waits. From the third failed start in a row on, while nothing else lives, waiting requests
//     fail at once instead of hanging.
//   - A process that ends after it has greeted (max_use, max_idle, a table that changed) is started
//     again when requests wait. A connection that it has not accepted yet is kept: the next process
//     on the same listening socket finds it there.
//   - Stock notices changed tables only when it accepts. So a connection older than connection_ttl
//     is made anew before it is used again.
//   - A connection that ends without a byte of the reply has answered nothing: the request is
//     repeated once. Not so `next`, whose position is lost.
//   - One slow table can fill most slots, not all.
//   - An idle connection is closed after connection_idle, an idle process is asked to end after
//     process_idle: its status socket is closed. A process that has not ended after ask_grace gets
//     SIGTERM, and after term_grace more SIGKILL.
// clang-format on
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay/relay.h"
#include "proxy/relay/stock_leases.h"
#include "proxy/relay/stock_placement.h"
#include "proxy/relay/stock_policy.h"
#include "proxy/relay/stock_requests.h"
#include "proxy/relay/stock_slots.h"
#include "proxy/relay/stock_starts.h"

namespace proxymux::proxy {

class StockScheduler {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using RequestId = StockRequests::Id;
  using LeaseId = StockLeases::LeaseId;
  static constexpr LeaseId kNoLease = StockLeases::kNoLease;

  explicit StockScheduler(const StockPolicy& policy);
  StockScheduler(const StockScheduler&) = delete;
  StockScheduler& operator=(const StockScheduler&) = delete;

  // Requests and leases.
  LeaseId OpenLease() { return leases_.Open(); }
  void CloseLease(LeaseId lease, Time now);
  RequestId Submit(const std::string& table, SequenceStep step, LeaseId lease, Time now);
  void Abandon(RequestId request, Time now);

  // What happened. `slot` is that of the action that led to it.
  void OnGreeting(std::size_t slot, Time now);
  // A complete reply. Gives the request that it belongs to, or nothing when that was given up.
  std::optional<RequestId> OnReply(std::size_t slot, Time now);
  // The connection could not be made, ended, or brought bytes that are no reply. `reply_begun`:
  // part of a reply had come.
  void OnClosed(std::size_t slot, bool reply_begun, const std::string& reason, Time now);
  void OnSpawnFailed(std::size_t slot, const std::string& reason, Time now) {
    OnProcessEnded(slot, reason, now);
  }
  void OnProcessEnded(std::size_t slot, const std::string& how, Time now);

  // Time's own events; to be called at NextDeadline() or later.
  void OnTime(Time now);
  std::optional<Time> NextDeadline() const;

  void SetPolicy(const StockPolicy& policy,
                 Time now);  // processes already there are replaced; the mode must not change
  void Drain(Time now);
  void Stop(Time now);
  bool Stopped() const {  // after Stop(): every slot is empty
    return state_ == State::kStopping && slots_.Count(SlotState::kEmpty) == slots_.size();
  }

  std::vector<StockAction> TakeActions();
  RelayStatus Status() const;

 private:
  using SlotState = StockSlots::State;
  enum class State { kServing, kDraining, kStopping };

  void SetState(State state) { state_ = state; }
  void Dispatch(Time now);
  std::size_t ServeWaiting(Time now);  // how many want a slot that is not open yet
  void Assign(RequestId id, std::size_t slot, Time now);
  void EndRequestOf(std::size_t slot, const std::string& reason);
  void Repeat(std::size_t slot, bool reply_begun, const std::string& reason);
  void Fail(RequestId id, const std::string& reason);
  void FailWaiting(const std::string& reason);
  void ExpireRequests(Time now);
  void ExpireSlots(Time now);

  StockPolicy policy_;
  std::vector<StockAction> actions_;
  StockLeases leases_;
  StockRequests requests_;
  StockSlots slots_;
  StockStarts starts_;
  const StockPlacement placement_;
  State state_ = State::kServing;
  std::uint64_t submitted_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace proxymux::proxy
