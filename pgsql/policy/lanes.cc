#include "pgsql/policy/lanes.h"

#include <algorithm>
#include <tuple>

#include "pgsql/table/service_time.h"

namespace proxymux::pgsql {
namespace {

using Phase = PoolConnection::Phase;

// Statements in flight in one lane, each with a Sync of its own so that each is measured: several,
// so that what a busy processor adds to one of them is not taken for the statement's own time. Only
// one where somebody else waits for the lane to run empty, or the time is not known, or long beyond
// doubt.
constexpr std::size_t kLaneDepth = 4;
constexpr Duration kLong = 4 * ServiceTime::kSlow;

// How many of the `ready` connections, which are those that answer, slow statements may have.
std::size_t Allowed(const PoolView& view, std::size_t ready) {
  if (!view.quick_about) return ready;
  std::size_t open = 0;
  bool coming = false;
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kClosed || view.Barred(*connection)) continue;
    ++open;
    if (!connection->open()) coming = coming || !view.Doubtful(*connection);
  }
  // The only one is shared when there will not be another.
  const bool more = coming || (open < view.usable && view.hosts.MayConnect(view.now));
  if (ready == 1 && !more) return 1;
  return ready - std::min<std::size_t>(ready, 1);
}

bool Less(const PoolConnection& one, const PoolConnection* other) {
  const auto rank = [](const PoolConnection& connection) {
    return std::tuple(connection.turn.reluctance, connection.in_flight().size());
  };
  return other == nullptr || rank(one) < rank(*other);
}

}  // namespace

// A connection that a table had for itself is followed by a new one, which never ran empty for
// anybody.
bool Lanes::SlowFirst(const PoolView& view, bool slow_are_next) {
  std::size_t ready = 0;
  for (const auto& connection : view.connections) {
    if (!connection->open() || view.Barred(*connection)) continue;
    if (++ready > 1) return true;
    if (connection->idle() && (connection->lane() || slow_are_next)) return true;
  }
  return false;
}

void Lanes::EndIdle(const PoolView& view) {
  for (const auto& connection : view.connections) {
    if (connection->idle() && connection->phase() == Phase::kLane) {
      connection->SetPhase(Phase::kShared);
    }
  }
}

void Lanes::EndUnused(const PoolView& view) {
  EndIdle(view);
  for (const auto& connection : view.connections) {
    if (connection->idle() && connection->phase() == Phase::kEmptying) {
      connection->SetPhase(Phase::kShared);
    }
  }
}

void Lanes::Begin(const PoolView& view) {
  session_wanted_.reset();
  std::size_t ready = 0;
  std::size_t lanes = 0;
  bool deep = false;
  for (const auto& connection : view.connections) {
    connection->turn.awaited = false;
    if (!connection->open() || connection->stalled() || view.Barred(*connection)) continue;
    ++ready;
    if (!connection->lane()) continue;
    ++lanes;
    deep = deep || connection->slow_in_flight() > 1;
  }
  const std::size_t allowed = Allowed(view, ready);
  left_ = allowed - std::min(allowed, lanes);
  const bool none_is_kept = allowed >= ready || lanes > allowed;
  if (none_is_kept && deep && left_ > 0) --left_;
  depth_ = none_is_kept ? 1 : std::min(kLaneDepth, view.depth);
}

PoolConnection* Lanes::Choose(const PoolView& view, const SessionRules& rules, const Work& work) {
  reserved_ = false;
  PoolConnection* lane = nullptr;
  PoolConnection* emptying = nullptr;
  PoolConnection* fresh = nullptr;
  bool possible = false;                  // some connection may have it, now or when it has room
  const PoolConnection* owned = nullptr;  // and this one is another table's
  const ServiceTime& time = work.binding->service_time;
  // Nothing but slow ones before it, and a script alone, as what was never measured.
  const bool alone = work.needs.script || !time.known() || time.average() >= kLong;
  const std::size_t depth = alone ? 1 : depth_;
  for (const auto& candidate : view.connections) {
    PoolConnection& connection = *candidate;
    if (!connection.TakesWork() || view.Barred(connection) || view.PrefersOther(work, connection)) {
      continue;
    }
    if (!rules.MayTake(view, connection, work)) {
      owned = &connection;
      continue;
    }
    possible = true;
    if (view.InTrial(connection) || view.Unproven(connection) || connection.RunsSimple()) continue;
    if (!connection.lane()) {
      if (!view.PerhapsGone(connection) && Less(connection, fresh)) fresh = &connection;
    } else if (!connection.idle() && connection.slow_in_flight() == 0) {
      const bool comes = !connection.stalled() && !view.PerhapsGone(connection);
      if (comes && !connection.turn.awaited) emptying = &connection;
    } else if (connection.in_flight().size() < depth && !view.PerhapsGone(connection) &&
               (connection.idle() || connection.lane_table == work.binding.get()) &&
               !rules.WaitsForPooler(view, connection, work) && Less(connection, lane)) {
      lane = &connection;
    }
  }
  if (owned != nullptr && !possible) session_wanted_ = owned->host;
  // One that is idle is better than one that has some already.
  const bool may_begin = fresh != nullptr && left_ > 0;
  if (lane != nullptr && (lane->idle() || !may_begin || !fresh->idle())) return lane;
  const bool at_once =
      fresh != nullptr && fresh->idle() && !rules.WaitsForPooler(view, *fresh, work);
  if (emptying != nullptr && at_once) {
    emptying->SetPhase(Phase::kShared);  // the idle one is the lane in its place
    fresh->SetPhase(Phase::kEmptying);
    return fresh;
  }
  if (emptying != nullptr) {
    emptying->turn.awaited = reserved_ = true;
    return nullptr;
  }
  if (!may_begin) return nullptr;
  --left_;
  fresh->SetPhase(Phase::kEmptying);
  if (at_once) return fresh;
  fresh->turn.awaited = reserved_ = true;
  return nullptr;
}

}  // namespace proxymux::pgsql
