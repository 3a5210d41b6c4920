#include <algorithm>
#include <tuple>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that keeps slow statements from holding up quick ones.

namespace proxymux::pgsql {
namespace {

// Statements in flight in one lane, each with a Sync of its own so that each is measured: several,
// so that what a busy processor adds to one of them is not taken for the statement's own time. Only
// one where somebody else waits for the lane to run empty, or the time is not known, or long beyond
// doubt.
constexpr std::size_t kLaneDepth = 4;
constexpr Duration kLong = 4 * ServiceTime::kSlow;

// For so long after a quick lookup a connection is kept for the next one.
constexpr Duration kQuickMemory = std::chrono::seconds(5);

}  // namespace

bool ConnectionPool::NeedsLane(const TableBinding& binding) {
  return binding.IsScript() || binding.service_time.slow();
}

// How long the server was at it. Results come in order, those of one batch together: what the batch
// took shows at its first result.
void ConnectionPool::MeasureService(PoolConnection& connection, const Work& work, Time now) {
  if (work.batch == connection.batch.measured) return;
  const Duration taken = now - std::max(work.sent, connection.last_result);
  if (taken >= ServiceTime::kSuspicious) {
    connection.batch.measured = work.batch;
    MeasureBatch(connection, work, taken);
  } else if (work.kind == Work::Kind::kLookup) {
    MeasureOne(work, [taken](ServiceTime& time) { time.Record(taken); });
  }
}

// Nobody knows which statement of a batch took so long. Those of one table are much alike; of
// several tables each is looked at by itself from now on.
void ConnectionPool::MeasureBatch(const PoolConnection& connection, const Work& first,
                                  Duration taken) {
  int statements = 1;
  bool mixed = first.kind != Work::Kind::kLookup;
  for (const Work* work = connection.in_flight().front(); work != nullptr;
       work = WorkList::Next(work)) {
    if (work->batch != first.batch) continue;
    ++statements;
    mixed = mixed || work->binding != first.binding;
  }
  if (!mixed) {
    MeasureOne(first, [&](ServiceTime& time) { time.Record(taken / statements); });
    return;
  }
  const auto suspect = [](ServiceTime& time) { time.Suspect(); };
  if (first.kind == Work::Kind::kLookup) MeasureOne(first, suspect);
  for (const Work* work = connection.in_flight().front(); work != nullptr;
       work = WorkList::Next(work)) {
    if (work->batch == first.batch && work->kind == Work::Kind::kLookup) MeasureOne(*work, suspect);
  }
}

template <typename Change>
void ConnectionPool::MeasureOne(const Work& work, Change change) {
  ServiceTime& time = work.binding->service_time;
  change(time);
  Reline(work.binding.get());
}

// How many of the `ready` connections, which are those that answer, slow statements may have.
std::size_t ConnectionPool::LanesAllowed(std::size_t ready) const {
  std::size_t open = 0;
  bool coming = false;
  for (const auto& connection : connections_) {
    if (connection->phase() == PoolConnection::Phase::kClosed) continue;
    ++open;
    if (!connection->open()) coming = coming || !Doubtful(*connection);
  }
  if (!QuickAreAbout()) return ready;
  // The only one is shared when there will not be another.
  const bool more = coming || (open < Usable() && hosts_.MayConnect(loop_->Now()));
  return ready == 1 && !more ? 1 : ready - std::min<std::size_t>(ready, 1);
}

bool ConnectionPool::QuickLookupsAreAbout() const {
  return queues_.lookups(Queue::kShared) > 0 || queues_.lookups(Queue::kOwn) > 0 ||
         (last_quick_ != Time() && loop_->Now() - last_quick_ < kQuickMemory);
}

// Also when it is only a question to the catalogue, which is as quick.
bool ConnectionPool::QuickAreAbout() const {
  return queues_.questions() > 0 || QuickLookupsAreAbout();
}

// Lanes that have nothing to do any more take everything again.
void ConnectionPool::EndLanes(bool served_only) {
  for (const auto& connection : connections_) {
    if (!connection->idle()) continue;
    if (connection->phase() == PoolConnection::Phase::kLane ||
        (connection->phase() == PoolConnection::Phase::kEmptying && !served_only)) {
      connection->SetPhase(PoolConnection::Phase::kShared);
    }
  }
}

// With a single connection slow and quick ones take turns: it is the slow ones' once it has run
// empty for them, or when it is empty and the latest turn was the quick ones'. A connection that a
// table had for itself is followed by a new one, which never ran empty for anybody.
bool ConnectionPool::SlowFirst() const {
  std::size_t ready = 0;
  for (const auto& connection : connections_) {
    if (!connection->open()) continue;
    if (++ready > 1) return true;
    if (connection->idle() && (connection->lane() || slow_are_next_)) return true;
  }
  return false;
}

// A connection for a slow statement, which takes nothing else from then on until it has run empty.
// A lane with work takes more of the same table only, up to the depth of this turn. Null when there
// is no lane for it, or when the connection has to run empty first.
PoolConnection* ConnectionPool::ChooseLane(const Work& work, LanesOfTurn* lanes) {
  lanes->reserved = false;
  std::size_t depth = lanes->depth;
  PoolConnection* lane = nullptr;
  PoolConnection* emptying = nullptr;
  PoolConnection* fresh = nullptr;
  bool possible = false;                  // some connection may have it, now or when it has room
  const PoolConnection* owned = nullptr;  // and this one is another table's
  const auto less = [](const PoolConnection& one, const PoolConnection* other) {
    return other == nullptr || std::tuple(one.turn.reluctance, one.in_flight().size()) <
                                   std::tuple(other->turn.reluctance, other->in_flight().size());
  };
  const ServiceTime& time = work.binding->service_time;
  // Nothing but slow ones before it, and a script alone, as what was never measured.
  if (work.script || !time.known() || time.average() >= kLong) depth = 1;
  for (const auto& candidate : connections_) {
    PoolConnection& connection = *candidate;
    if (!connection.open() || connection.RunsScript() || connection.cancel.pending() ||
        connection.draining() ||
        work.attempts.PrefersOther(connection.host, hosts_, loop_->Now())) {
      continue;
    }
    if (!MayTake(connection, work)) {
      owned = &connection;
      continue;
    }
    possible = true;
    if (InTrial(connection)) continue;
    if (!connection.lane()) {
      if (less(connection, fresh)) fresh = &connection;
    } else if (!connection.idle() && connection.slow_in_flight() == 0) {
      if (!connection.turn.awaited) emptying = &connection;
    } else if (connection.in_flight().size() < depth &&
               (connection.idle() || connection.lane_table == work.binding.get()) &&
               !WaitsForPooler(connection, work) && less(connection, lane)) {
      lane = &connection;
    }
  }
  if (owned != nullptr && !possible) session_wanted_ = owned->host;
  // One that is idle is better than one that has some already.
  const bool may_open = fresh != nullptr && lanes->left > 0;
  if (lane != nullptr && (lane->idle() || !may_open || !fresh->idle())) return lane;
  if (emptying != nullptr && fresh != nullptr && fresh->idle() && !WaitsForPooler(*fresh, work)) {
    emptying->SetPhase(PoolConnection::Phase::kShared);  // the idle one is the lane in its place
    fresh->SetPhase(PoolConnection::Phase::kEmptying);
    return fresh;
  }
  if (emptying != nullptr) {
    emptying->turn.awaited = lanes->reserved = true;
    return nullptr;
  }
  if (!may_open) return nullptr;
  --lanes->left;
  fresh->SetPhase(PoolConnection::Phase::kEmptying);
  if (fresh->idle() && !WaitsForPooler(*fresh, work)) return fresh;
  fresh->turn.awaited = lanes->reserved = true;
  return nullptr;
}

// A lane is a loan. While no connection is kept for quick lookups, or when fewer lanes are allowed
// than there are, each lane has one statement at a time: whoever comes next gets the first
// connection whose statement is done. The last connection is lent only when all other lanes are
// like that.
ConnectionPool::LanesOfTurn ConnectionPool::CountLanes() {
  std::size_t ready = 0;
  std::size_t lanes = 0;
  bool deep = false;
  for (const auto& connection : connections_) {
    connection->turn.awaited = false;
    if (!connection->open() || connection->stalled) continue;
    ++ready;
    if (!connection->lane()) continue;
    ++lanes;
    deep = deep || connection->slow_in_flight() > 1;
  }
  const std::size_t allowed = LanesAllowed(ready);
  LanesOfTurn turn;
  turn.left = allowed - std::min(allowed, lanes);
  const bool none_is_kept = allowed >= ready || lanes > allowed;
  if (none_is_kept && deep && ready > 1) {
    turn.left = std::min(turn.left, ready - 1 - std::min(ready - 1, lanes));
  }
  turn.depth = none_is_kept ? 1 : std::min(kLaneDepth, depth_);
  return turn;
}

// First those of tables that were never measured and have nothing in a lane, which may well be
// quick; then those of other tables that have nothing in a lane; then any. Among each the tables
// take turns.
void ConnectionPool::SendSlow() {
  if (queues_.lookups(Queue::kSlow) == 0) return;
  LanesOfTurn lanes = CountLanes();
  for (const Line line : {Line::kUnmeasured, Line::kSlow}) {
    const bool again_wait = SendSlowAgain(line, &lanes);
    if (SendSlowLine(line, &lanes) || again_wait) lanes.depth = 1;  // one is to run empty for them
  }
  SendSlowAgain(Line::kSlowMore, &lanes);
  for (const Line line : {Line::kUnmeasured, Line::kSlow, Line::kSlowMore}) {
    SendMoreSlow(line, &lanes);
  }
}

bool ConnectionPool::SendInLane(Work* work, LanesOfTurn* lanes) {
  PoolConnection* lane = ChooseLane(*work, lanes);
  if (lane == nullptr) return false;
  work->in_lane = true;
  if (lane->phase() == PoolConnection::Phase::kEmptying) {
    lane->SetPhase(PoolConnection::Phase::kLane);
  }
  lane->lane_table = work->binding.get();
  slow_are_next_ = false;
  SendWork(*lane, work);
  return true;
}

// Of this line and those before it. True when some wait.
bool ConnectionPool::SendSlowAgain(Line line, LanesOfTurn* lanes) {
  bool wait = false;
  const WorkList& again = queues_.Again(Queue::kSlow);
  std::size_t left = again.size();
  for (Work* work = again.front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    if (work->binding->line <= line && !SendInLane(work, lanes)) {
      NoteHeldUp(*work);
      wait = true;
    }
    work = next;
  }
  return wait;
}

// One lookup of each table. True when some wait.
bool ConnectionPool::SendSlowLine(Line line, LanesOfTurn* lanes) {
  bool wait = false;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues_.TablesOf(line).front(); table != nullptr;) {
    TableBinding* const next = WorkQueues::Tables::Next(table);
    const std::size_t left_before = lanes->left;
    if (!SendInLane(table->waiting.front(), lanes)) {
      wait = true;
      if (left_before == 0 || in_vain > connections_.size()) break;  // others find none either
      if (!lanes->reserved) {
        queues_.ToTheBack(table);  // of a session that no connection has; others may find one
        ++in_vain;
      }
    }
    table = next;
  }
  return wait;
}

// As many lookups of each table as there are lanes for. Each that waits may have a connection run
// empty for it; where none of the table is in a lane, one of them has.
void ConnectionPool::SendMoreSlow(Line line, LanesOfTurn* lanes) {
  const bool have_lanes = line == Line::kSlowMore;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues_.TablesOf(line).front(); table != nullptr;) {
    if ((lanes->left == 0 && !have_lanes) || in_vain > connections_.size()) return;
    const std::shared_ptr<TableBinding> kept = table->waiting.front()->binding;
    TableBinding* next = WorkQueues::Tables::Next(table);
    std::size_t wanted = table->waiting.size() - (have_lanes ? 0 : 1);
    bool sent = false;
    do {
      if (wanted == 0) break;
      --wanted;
      sent = SendInLane(table->waiting.front(), lanes);
    } while (!sent && lanes->reserved);
    if (sent) {
      queues_.ToTheBack(table);
      if (next == nullptr && queues_.TablesOf(line).Holds(table)) next = table;
    } else {
      ++in_vain;
    }
    table = next;
  }
}

}  // namespace proxymux::pgsql
