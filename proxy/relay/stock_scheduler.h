// Decides which stock proxymap gets which request, and when stock daemons are started, reconnected,
// ended and killed.
//
// Pure: every call takes `now`; what is to be done comes out of TakeActions(), in order, and is
// carried out by UvRelay. The scheduler knows requests by number only; the shell keeps their bytes.
//
// A *slot* is one place for a stock process with at most one connection to it (kSpawn), or one
// connection to a stock service that somebody else runs (kService). A slot has one request at a
// time: stock is synchronous. A request given up by its client keeps its slot until the reply has
// come and been thrown away, since the process is busy until then.
//
// clang-format off
// Rules:
//   - A slot is opened only when a request waits and no slot is free; at most two slots at once are
//     on their way up. A process that ends before it has greeted is a failed start: the next start
//     waits 100 ms, doubling up to 10 s. From the third failed start in a row on, while nothing
//     else lives, waiting requests fail at once instead of hanging.
//   - A process that ends after it has greeted (max_use, max_idle, a table that changed) is started
//     again when requests wait. A connection that it has not accepted yet is kept: the next process
//     on the same listening socket finds it there.
//   - Stock notices changed tables only when it accepts. So a connection older than connection_ttl
//     is made anew before it is used again.
//   - A connection that ends without a byte of the reply has answered nothing: the request is
//     repeated once. Not so `next`, whose position is lost.
//   - A table that is already being worked on leaves the last free slots (two of four and more, one
//     of two or three) to other tables: one slow table can fill most slots, not all.
//   - `sequence` binds a lease to a slot: no other lease uses that slot, and lookups only when no
//     other slot can be had. At most half of the slots are leased at once; further leases wait.
//   - An idle connection is closed after connection_idle, an idle process is asked to end after
//     process_idle: its status socket is closed. A process that has not ended after ask_grace gets
//     SIGTERM, and after term_grace more SIGKILL.
// clang-format on
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay/relay.h"
#include "proxy/relay/stock_leases.h"

namespace proxymux::proxy {

enum class StockMode { kService, kSpawn };

struct StockPolicy {
  StockMode mode = StockMode::kService;
  std::size_t processes = 10;  // slots
  std::size_t queue_limit = 10000;
  std::chrono::milliseconds request_timeout{120000};  // waiting and running
  std::chrono::milliseconds process_idle{60000};
  std::chrono::milliseconds connection_idle{5000};
  std::chrono::milliseconds connection_ttl{1000};
  std::chrono::milliseconds lease_idle{5000};
  std::chrono::milliseconds greeting_timeout{
      30000};  // kSpawn: from start or connect to the greeting
  std::chrono::milliseconds ask_grace{2000};
  std::chrono::milliseconds term_grace{1000};
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds longest_backoff{10000};
};

struct StockAction {
  enum class Kind {
    kSpawn,       // start a stock process on the slot's listening socket
    kConnect,     // connect; then OnGreeting() or OnClosed()
    kDisconnect,  // close the connection; nothing more is heard of it
    kSend,        // send `request` on the slot's connection
    kAskToEnd,    // close the process's status socket
    kTerminate,   // SIGTERM
    kKill,        // SIGKILL
    kRelease,     // the slot is empty: let go of its listening socket
    kFail,        // `request` has failed, for `reason`
  };
  Kind kind;
  std::size_t slot = 0;
  std::uint64_t request = 0;
  std::string reason;
};

class StockScheduler {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using RequestId = std::uint64_t;
  using LeaseId = StockLeases::LeaseId;
  static constexpr LeaseId kNoLease = StockLeases::kNoLease;

  explicit StockScheduler(const StockPolicy& policy);

  // Requests and leases.
  LeaseId OpenLease();
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
  void OnSpawnFailed(std::size_t slot, const std::string& reason, Time now);
  void OnProcessEnded(std::size_t slot, const std::string& how, Time now);

  // Time's own events; to be called at NextDeadline() or later.
  void OnTime(Time now);
  std::optional<Time> NextDeadline() const;

  void SetPolicy(const StockPolicy& policy,
                 Time now);  // processes already there are replaced; the mode must not change
  void Drain(Time now);
  void Stop(Time now);
  bool Stopped() const;  // after Stop(): every slot is empty

  std::vector<StockAction> TakeActions();
  RelayStatus Status() const;

 private:
  enum class SlotState {
    kEmpty,
    kParked,    // kSpawn: a process and no connection
    kGreeting,  // connecting, until the greeting
    kReady,
    kBusy,
    kEnding,  // kSpawn: told to end; no connection
  };
  enum class EndStep { kAsked, kTerminated, kKilled };

  struct Request {
    std::string table;
    SequenceStep step;
    LeaseId lease;
    Time deadline;
    int attempts = 0;
    bool abandoned = false;
  };
  struct Slot {
    SlotState state = SlotState::kEmpty;
    bool alive = false;    // a process is there
    bool greeted = false;  // the process has sent its greeting
    bool replied = false;
    bool blamed = false;  // the process ended in the middle of a request: the request's fault, not
                          // the start's
    bool stale = false;   // started under an older policy
    RequestId request = 0;
    Time started{};  // process, or the connection attempt
    Time connected{};
    Time last_used{};
    EndStep end_step = EndStep::kAsked;
    Time end_deadline{};
  };
  enum class Choice { kSlot, kOpenOne, kWait, kLost };

  void SetState(std::size_t index, SlotState state);
  void Act(StockAction::Kind kind, std::size_t slot, RequestId request = 0,
           std::string reason = {});
  void Dispatch(Time now);
  Choice Choose(const Request& request, Time now, std::size_t* slot) const;
  bool FreshEnough(const Slot& slot, Time now) const;
  bool LeavesRoom(const Request& request) const;
  std::optional<std::size_t> FindOpenable(Time now) const;
  void Assign(RequestId id, std::size_t index, Time now);
  void Open(std::size_t index, Time now);
  void Connect(std::size_t index, Time now);
  void LoseConnection(std::size_t index);
  void RetireIfUnused(std::size_t index, Time now);
  void AskToEnd(std::size_t index, Time now);
  void Terminate(std::size_t index, Time now);
  void Empty(std::size_t index);
  void StartFailed(const std::string& reason, Time now);
  bool NothingLives() const;
  void ReleaseRequest(std::size_t index);
  void Fail(RequestId id, const std::string& reason);
  void FailWaiting(const std::string& reason);
  void ExpireRequests(Time now);
  void ExpireSlots(Time now);
  void ExpireLeases(Time now);
  std::size_t Count(SlotState state) const;

  StockPolicy policy_;
  std::vector<Slot> slots_;
  std::map<RequestId, Request> requests_;       // waiting and running
  std::map<RequestId, Request*> waiting_;       // oldest first
  std::map<std::string, std::size_t> running_;  // by table
  StockLeases leases_;
  RequestId last_request_ = 0;
  int failed_starts_ = 0;   // in a row
  Time blocked_until_{};    // no process is started before
  bool replacing_ = false;  // the next start stands in for a process that ended by itself
  std::string last_failure_;
  bool draining_ = false;
  bool stopping_ = false;
  std::vector<StockAction> actions_;
  RelayStatus counts_;
};

}  // namespace proxymux::proxy
