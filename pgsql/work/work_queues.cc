#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

WorkQueues::Queue WorkQueues::QueueOf(Line line) {
  switch (line) {
    case Line::kShared:
      return Queue::kShared;
    case Line::kLoan:
    case Line::kOwn:
      return Queue::kOwn;
    case Line::kUnmeasured:
    case Line::kSlow:
    case Line::kSlowMore:
      return Queue::kSlow;
  }
  return Queue::kShared;
}

WorkQueues::~WorkQueues() {
  while (Work* work = Oldest()) Remove(work);
}

void WorkQueues::Add(Work* work, Time now) {
  Remove(work);
  work->queued = now;
  by_age_.PushBack(work);
  if (first_new_ == nullptr) first_new_ = work;
  Enter(work);
}

void WorkQueues::Remove(Work* work) {
  if (!Holds(work)) return;
  if (work == first_new_) first_new_ = ByAge::Next(work);
  by_age_.Remove(work);
  Leave(work);
}

void WorkQueues::Enter(Work* work) {
  TableBinding& table = *work->binding;
  const bool is_lookup = work->kind == Work::Kind::kLookup;
  const auto queue = static_cast<std::size_t>(is_lookup ? QueueOf(table.line) : Queue::kShared);
  ++(is_lookup ? lookups_[queue] : questions_);
  if (work->WasSent()) {
    again_[queue].InsertInOrder(work);
  } else if (!is_lookup || table.line == Line::kShared) {
    shared_.InsertInOrder(work);
  } else {
    table.waiting.InsertInOrder(work);
    Tables& tables = tables_[static_cast<std::size_t>(table.line)];
    if (!tables.Holds(&table)) tables.PushBack(&table);
  }
}

void WorkQueues::Leave(Work* work) {
  TableBinding& table = *work->binding;
  const bool is_lookup = work->kind == Work::Kind::kLookup;
  --(is_lookup ? lookups_[static_cast<std::size_t>(QueueOf(table.line))] : questions_);
  WorkList::Remove(work);
  if (table.waiting.empty()) Tables::Remove(&table);
}

void WorkQueues::SetLine(TableBinding* table, Line line) {
  if (table->line == line) return;
  const Queue from = QueueOf(table->line);
  const Queue to = QueueOf(line);
  if (from == to) {
    table->line = line;
    ToTheBack(table);
    return;
  }
  WorkList moving;
  const auto take = [&](WorkList* list) {
    for (Work* work = list->front(); work != nullptr;) {
      Work* const next = WorkList::Next(work);
      if (work->kind == Work::Kind::kLookup && work->binding.get() == table) {
        moving.PushBack(work);
      }
      work = next;
    }
  };
  take(&again_[static_cast<std::size_t>(from)]);
  if (from == Queue::kShared) take(&shared_);
  take(&table->waiting);
  Tables::Remove(table);
  lookups_[static_cast<std::size_t>(from)] -= moving.size();
  table->line = line;
  if (to != Queue::kShared) {
    while (Work* work = moving.front()) Enter(work);
    return;
  }
  lookups_[static_cast<std::size_t>(to)] += moving.size();
  while (moving.front() != nullptr && moving.front()->WasSent()) {
    again_[static_cast<std::size_t>(to)].InsertInOrder(moving.front());
  }
  shared_.Merge(&moving);
}

void WorkQueues::ToTheBack(TableBinding* table) {
  if (Tables::InSome(table)) tables_[static_cast<std::size_t>(table->line)].PushBack(table);
}

const Work* WorkQueues::Head(Queue queue) const {
  const Work* head = Again(queue).front();
  const auto take = [&head](const Work* work) {
    if (head == nullptr || (work != nullptr && work->sequence < head->sequence)) head = work;
  };
  if (queue == Queue::kShared) take(shared_.front());
  for (const Line line : kAllLines) {
    const TableBinding* const table = TablesOf(line).front();
    if (QueueOf(line) == queue && table != nullptr) take(table->waiting.front());
  }
  return head;
}

// Those that came back to wait stand among the last to come and were submitted earlier; there are
// no more of them than connections have had in flight, and a few that pause before their next try.
Work* WorkQueues::Youngest() const {
  Work* youngest = nullptr;
  for (Work* work = by_age_.back(); work != nullptr; work = ByAge::Previous(work)) {
    if (work->kind != Work::Kind::kLookup) continue;
    if (youngest == nullptr || work->sequence > youngest->sequence) youngest = work;
    // One that was aborted unrun has no attempt on its account, and came back all the same.
    if (!work->WasSent() && work->sent == Time{}) break;
  }
  return youngest;
}

}  // namespace proxymux::pgsql
