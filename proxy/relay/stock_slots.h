// The slots of the relay and the life of each: opened, greeted, given a request, lost, asked to
// end, terminated. Pure; which request goes where is StockScheduler's.
//
// A slot is one place for a stock process with at most one connection to it (kSpawn), or one
// connection to a stock service (kService). What is to be done goes into the actions, in order.
//
// clang-format off
//   kEmpty -> kGreeting -> kReady <-> kBusy        with a connection
//   kReady, kParked -> kGreeting                   connected to anew
//   kGreeting, kReady, kBusy -> kParked            the connection is gone, its process is there
//   kGreeting, kReady, kBusy -> kEmpty             the connection is gone, and there is no process
//   kGreeting, kReady, kBusy, kParked -> kEnding   asked to end, then SIGTERM, then SIGKILL
//   kParked, kEnding -> kEmpty                     the process has ended
//
// kParked and kEnding are of kSpawn alone.
// clang-format on
//
// A slot whose connection is gone has no lease any more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay/relay.h"
#include "proxy/relay/stock_leases.h"
#include "proxy/relay/stock_policy.h"

namespace proxymux::proxy {

// One thing to be done, by UvRelay, in the order in which it was asked for.
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

class StockSlots {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using RequestId = std::uint64_t;

  enum class State {
    kEmpty,
    kParked,    // kSpawn: a process and no connection
    kGreeting,  // connecting, until the greeting
    kReady,
    kBusy,
    kEnding,  // kSpawn: told to end; no connection
  };
  // Who is to blame for a process that ended.
  enum class Blame { kNobody, kStart, kRequest };

  // All must outlive it.
  StockSlots(const StockPolicy* policy, StockLeases* leases, std::vector<StockAction>* actions);

  std::size_t size() const { return slots_.size(); }
  State state(std::size_t slot) const { return slots_[slot].state; }
  bool alive(std::size_t slot) const { return slots_[slot].alive; }  // kSpawn: has a process
  Time last_used(std::size_t slot) const { return slots_[slot].last_used; }
  RequestId request(std::size_t slot) const { return slots_[slot].request; }  // of a busy one
  // Its connection is young enough for stock to know its tables as they are.
  bool IsFresh(std::size_t slot, Time now) const;
  std::size_t Count(State state) const;
  void AddTo(RelayStatus* status) const;

  // The policy is another: slots above a lower limit stay until they are empty.
  void OnPolicy();

  // Puts a process (kSpawn) and a connection there, as far as they are missing.
  void Open(std::size_t slot, Time now);
  void Give(std::size_t slot, RequestId request, Time now);  // to a ready one
  // The busy one's request, which it has no more.
  RequestId TakeRequest(std::size_t slot);

  // What happened.
  void OnGreeting(std::size_t slot, Time now);
  void OnReply(std::size_t slot, Time now);          // its request has been taken
  void OnClosed(std::size_t slot, Time now);         // that of a busy one has been taken
  Blame OnProcessEnded(std::size_t slot, Time now);  // of one that is alive

  // Ends.
  void RetireUnused(Time now);  // those of an older policy, or above the limit
  void EndUnused(Time now);     // all that nobody uses
  void AskToEnd(std::size_t slot, Time now);
  // The hard way, for a process that is stuck. Its request has been taken.
  void Terminate(std::size_t slot, Time now);

  // What time does to a slot that is not busy. True: it did not greet.
  bool Expire(std::size_t slot, Time now);
  std::optional<Time> Deadline(std::size_t slot) const;
  void FreeIdleLeases(Time now);

 private:
  enum class EndStep { kAsked, kTerminated, kKilled };

  struct Slot {
    State state = State::kEmpty;
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

  bool Spawns() const { return policy_->mode == StockMode::kSpawn; }
  void SetState(std::size_t slot, State state) { slots_[slot].state = state; }
  void Act(StockAction::Kind kind, std::size_t slot, RequestId request = 0);
  void Connect(std::size_t slot, Time now);
  void LoseConnection(std::size_t slot);  // it is gone; the process may still be there
  void Empty(std::size_t slot);

  const StockPolicy* const policy_;
  StockLeases* const leases_;
  std::vector<StockAction>* const actions_;
  std::vector<Slot> slots_;
  bool replacing_ = false;  // the next start stands in for a process that ended by itself
  std::uint64_t starts_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t kills_ = 0;
};

}  // namespace proxymux::proxy
