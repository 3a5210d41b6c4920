// One connection of a pool as the pool sees it: the phase that it is in, what is in flight on it
// and since when nothing came back, and whose session it is. Owned by the pool; pure but for the
// UpstreamConnection that it owns and that its methods do not call.
//
//   kConnecting ──> kShared <──> kEmptying ──> kLane ──> kShared
//   any open phase ──> kDraining ──> kOutdated
//   any phase ──> kClosed
//
// MayMove() has the whole table.
//
// What is in flight is kept twice, for two questions. The list here is the pool's: which statements
// are under way, since when, and who waits for them. The ledger is the real connection's: what the
// server answers next, Syncs and the connection's own statements included, which the pool does not
// know (PipelineLedger; of a script, PgScript). A statement enters both when it is sent, and leaves
// both when its result is told or when UpstreamConnection::Close() hands it back. So both have the
// same statements in the same order.
//
// A connection that drains takes nothing new and is closed once it is empty: for another host's
// sake, because there are more than `connections` allows now, because a statement changed the
// session, because a new session would be another, or for the memory that it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "pgsql/connection/cancel_request.h"
#include "pgsql/connection/prepared_statements.h"
#include "pgsql/connection/upstream_connection.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/table_binding.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class PoolConnection {
 public:
  enum class Phase : std::uint8_t {
    kConnecting,
    kShared,    // takes any statement that may run in its session
    kEmptying,  // becomes a lane for slow statements when it has run empty; at once if it is idle
    kLane,      // takes slow statements only
    kDraining,  // takes nothing new, is closed when it is empty
    kOutdated,  // the same, and what reads only is answered by another session
    kClosed,
  };
  static bool MayMove(Phase from, Phase to);

  PoolConnection(std::uint64_t number, std::size_t host, Time now,
                 std::unique_ptr<UpstreamConnection> upstream)
      : number(number), host(host), upstream(std::move(upstream)), last_used(now) {}

  Phase phase() const { return phase_; }
  void SetPhase(Phase phase);
  void Drain();    // an open one that does not drain already; nothing otherwise
  void Outdate();  // an open one; nothing otherwise

  bool open() const;      // connected and not closed
  bool draining() const;  // kDraining or kOutdated
  bool lane() const;      // kEmptying or kLane, and what such a one leaves as it drains
  bool TakesWork() const { return open() && !draining() && !cancel.pending(); }

  // What was sent and not answered, oldest first, which is the one that the server is working on.
  const WorkList& in_flight() const { return in_flight_; }
  bool idle() const { return in_flight_.empty(); }
  std::size_t slow_in_flight() const { return slow_in_flight_; }
  Work* running() const { return in_flight_.front(); }
  // By the simple protocol: nothing may be sent behind it.
  bool RunsSimple() const { return !idle() && running()->wire.protocol == Protocol::kSimple; }
  void OnSent(Work* work, std::uint64_t turn);
  void OnBack(Work* work);  // answered, or lost with the connection

  // From when it has owed its oldest answer; none: it owes nothing. Results come in order, so only
  // the oldest statement counts, and that since the one before it was answered.
  std::optional<Time> SilentSince() const;
  // It has owed an answer for longer than stall_limit. That is no phase: a connection may stall in
  // each that is open. OnStalled() is true when it was not known.
  bool stalled() const { return stalled_; }
  bool OnStalled() { return !std::exchange(stalled_, true); }
  // The server has said something on it.
  void OnAnswered(Time now);
  // Nothing is lost or done twice when the connection ends.
  bool ReadsOnly() const;
  // It has lookups, and nobody waits for any of them here. A question to the catalogue may take
  // long where a server has just started, and others wait for what it says. What may write is to be
  // done whether somebody waits or not.
  bool Useless() const;

  const std::uint64_t number;  // in the order in which they were opened
  const std::size_t host;
  const std::unique_ptr<UpstreamConnection> upstream;

  // The batch that is open, or was the last one.
  struct Batch {
    std::uint64_t number = 0;
    std::uint64_t measured = 0;  // the results of this one say no more about service times
    bool writes = false;         // a statement of it may write
  } batch;

  // Whose session it is: only that table's statements run here. Null: any table's.
  struct Session {
    std::shared_ptr<TableBinding> owner;
    Time owned_since{};
    bool changed = false;  // a statement of the owner's may have changed it
  } session;

  // What the choice of a connection looks at, of this turn.
  struct Turn {
    int reluctance = 0;    // statements go where it is least
    bool awaited = false;  // a slow statement waits for it to run empty
  } turn;

  CancelRequest cancel;
  PreparedStatements prepared;
  const TableBinding* lane_table = nullptr;  // whose statements the lane had last; only compared
  std::optional<Time> answered;              // when something was, last; none: nothing ever
  Time last_sent{};
  std::uint64_t sent_in = 0;     // the turn that gave it something last
  Time opened{};                 // when it could be used first
  bool opened_in_doubt = false;  // it was begun while nobody knew whether the host could be reached
  Time last_used;
  Time last_result{};

 private:
  Phase phase_ = Phase::kConnecting;
  WorkList in_flight_{WorkList::Role::kInFlight};
  std::size_t slow_in_flight_ = 0;
  bool stalled_ = false;
};

}  // namespace proxymux::pgsql
