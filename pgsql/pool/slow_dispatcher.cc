#include "pgsql/pool/slow_dispatcher.h"

#include <memory>

#include "pgsql/connection/pool_connection.h"

namespace proxymux::pgsql {

void SlowDispatcher::SendAll() {
  if (work_->queues().lookups(Queue::kSlow) == 0) return;
  lanes_.Begin(connections_->View());
  for (const Line line : {Line::kUnmeasured, Line::kSlow}) {
    const bool again_wait = SendAgain(line);
    if (SendOneOfEach(line) || again_wait) lanes_.OneEach();  // one is to run empty for them
  }
  SendAgain(Line::kSlowMore);
  for (const Line line : {Line::kUnmeasured, Line::kSlow, Line::kSlowMore}) SendMore(line);
}

bool SlowDispatcher::Send(Work* work) {
  PoolConnection* lane = lanes_.Choose(connections_->View(), pool_->rules, *work);
  if (lane == nullptr) return false;
  work->in_lane = true;
  if (lane->phase() == PoolConnection::Phase::kEmptying) {
    lane->SetPhase(PoolConnection::Phase::kLane);
  }
  lane->lane_table = work->binding.get();
  pool_->demand.OnSlowSent();
  sender_->Send(*lane, work);
  return true;
}

// Of this line and those before it. True when some wait.
bool SlowDispatcher::SendAgain(Line line) {
  bool wait = false;
  const WorkList& again = work_->queues().Again(Queue::kSlow);
  std::size_t left = again.size();
  for (Work* work = again.front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    if (work->binding->line <= line && !work->attempts.Pauses(pool_->Now()) && !Send(work)) {
      held_up_->Note(*work, pool_->hosts);
      wait = true;
    }
    work = next;
  }
  return wait;
}

// True when some wait.
bool SlowDispatcher::SendOneOfEach(Line line) {
  WorkQueues& queues = work_->queues();
  bool wait = false;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues.TablesOf(line).front(); table != nullptr;) {
    TableBinding* const next = WorkQueues::Tables::Next(table);
    const std::size_t left_before = lanes_.left();
    if (!Send(table->waiting.front())) {
      wait = true;
      // Others find none either.
      if (left_before == 0 || in_vain > connections_->all().size()) break;
      if (!lanes_.reserved()) {
        queues.ToTheBack(table);  // of a session that no connection has; others may find one
        ++in_vain;
      }
    }
    table = next;
  }
  return wait;
}

// As many lookups of each table as there are lanes for. Each that waits may have a connection run
// empty for it; where none of the table is in a lane, one of them has.
void SlowDispatcher::SendMore(Line line) {
  WorkQueues& queues = work_->queues();
  const bool have_lanes = line == Line::kSlowMore;
  std::size_t in_vain = 0;
  for (TableBinding* table = queues.TablesOf(line).front(); table != nullptr;) {
    if ((lanes_.left() == 0 && !have_lanes) || in_vain > connections_->all().size()) return;
    const std::shared_ptr<TableBinding> kept = table->waiting.front()->binding;
    TableBinding* next = WorkQueues::Tables::Next(table);
    std::size_t wanted = table->waiting.size() - (have_lanes ? 0 : 1);
    bool sent = false;
    do {
      if (wanted == 0) break;
      --wanted;
      sent = Send(table->waiting.front());
    } while (!sent && lanes_.reserved());
    if (sent) {
      queues.ToTheBack(table);
      if (next == nullptr && queues.TablesOf(line).Holds(table)) next = table;
    } else {
      ++in_vain;
    }
    table = next;
  }
}

}  // namespace proxymux::pgsql
