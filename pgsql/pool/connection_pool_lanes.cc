#include <algorithm>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that keeps slow statements from holding up quick ones.

namespace proxymux::pgsql {
namespace {

// For so long after a quick lookup a connection is kept for the next one.
constexpr Duration kQuickMemory = std::chrono::seconds(5);

}  // namespace

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

bool ConnectionPool::QuickLookupsAreAbout() const {
  return queues_.lookups(Queue::kShared) > 0 || queues_.lookups(Queue::kOwn) > 0 ||
         (last_quick_ != Time() && loop_->Now() - last_quick_ < kQuickMemory);
}

// First those of tables that were never measured and have nothing in a lane, which may well be
// quick; then those of other tables that have nothing in a lane; then any. Among each the tables
// take turns.
void ConnectionPool::SendSlow() {
  if (queues_.lookups(Queue::kSlow) == 0) return;
  lanes_.Begin(View());
  for (const Line line : {Line::kUnmeasured, Line::kSlow}) {
    const bool again_wait = SendSlowAgain(line);
    if (SendSlowLine(line) || again_wait) lanes_.OneEach();  // one is to run empty for them
  }
  SendSlowAgain(Line::kSlowMore);
  for (const Line line : {Line::kUnmeasured, Line::kSlow, Line::kSlowMore}) {
    SendMoreSlow(line);
  }
}

bool ConnectionPool::SendInLane(Work* work) {
  PoolConnection* lane = lanes_.Choose(View(), rules_, *work);
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
bool ConnectionPool::SendSlowAgain(Line line) {
  bool wait = false;
  const WorkList& again = queues_.Again(Queue::kSlow);
  std::size_t left = again.size();
  for (Work* work = again.front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    if (work->binding->line <= line && !SendInLane(work)) {
      NoteHeldUp(*work);
      wait = true;
    }
    work = next;
  }
  return wait;
}

// One lookup of each table. True when some wait.
bool ConnectionPool::SendSlowLine(Line line) {
  bool wait = false;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues_.TablesOf(line).front(); table != nullptr;) {
    TableBinding* const next = WorkQueues::Tables::Next(table);
    const std::size_t left_before = lanes_.left();
    if (!SendInLane(table->waiting.front())) {
      wait = true;
      if (left_before == 0 || in_vain > connections_.size()) break;  // others find none either
      if (!lanes_.reserved()) {
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
void ConnectionPool::SendMoreSlow(Line line) {
  const bool have_lanes = line == Line::kSlowMore;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues_.TablesOf(line).front(); table != nullptr;) {
    if ((lanes_.left() == 0 && !have_lanes) || in_vain > connections_.size()) return;
    const std::shared_ptr<TableBinding> kept = table->waiting.front()->binding;
    TableBinding* next = WorkQueues::Tables::Next(table);
    std::size_t wanted = table->waiting.size() - (have_lanes ? 0 : 1);
    bool sent = false;
    do {
      if (wanted == 0) break;
      --wanted;
      sent = SendInLane(table->waiting.front());
    } while (!sent && lanes_.reserved());
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
