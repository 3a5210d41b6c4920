#include "pgsql/pool/dispatcher.h"

#include <algorithm>
#include <memory>

#include "pgsql/policy/lanes.h"

namespace proxymux::pgsql {

void Dispatcher::Begin() {
  placement_.Begin(connections_->View());
  slow_.Begin();
  held_up_ = {};
}

void Dispatcher::SendAll() {
  Lanes::EndIdle(connections_->View());
  const WorkQueues& queues = work_->queues();
  const Work* const own = queues.Head(Queue::kOwn);
  const Work* const shared = queues.Head(Queue::kShared);
  const bool own_first = own != nullptr && shared != nullptr && own->sequence < shared->sequence;
  const bool slow_first = Lanes::SlowFirst(connections_->View(), pool_->demand.slow_are_next());
  if (slow_first) {
    slow_.SendAll();
    Lanes::EndUnused(connections_->View());
  }
  if (own_first) SendOwn();
  SendQuick();
  if (!own_first) SendOwn();
  if (!slow_first) slow_.SendAll();
}

std::optional<std::size_t> Dispatcher::session_wanted() const {
  const auto wanted = placement_.session_wanted();
  return wanted.has_value() ? wanted : slow_.session_wanted();
}

PoolConnection* Dispatcher::Choose(const Work& work, Placement::Among among) {
  return placement_.Choose(connections_->View(), pool_->rules, work, among);
}

void Dispatcher::Send(PoolConnection& connection, Work* work) {
  if (work->kind == Work::Kind::kLookup) {
    pool_->demand.OnQuickSent(*work, work_->queues(), pool_->Now());
  }
  work->in_lane = false;
  sender_->Send(connection, work);
}

void Dispatcher::SendQuick() {
  SendAgain(Queue::kShared);
  const WorkList& shared = work_->queues().Shared();
  for (std::size_t left = shared.size(); left > 0; --left) {
    Work* work = shared.front();
    PoolConnection* connection = work != nullptr ? Choose(*work) : nullptr;
    if (connection == nullptr) return;  // no connection has room; those behind find none either
    Send(*connection, work);
  }
}

// Each by itself: which hosts may have it differs.
void Dispatcher::SendAgain(Queue queue) {
  const WorkList& again = work_->queues().Again(queue);
  std::size_t left = again.size();
  for (Work* work = again.front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    if (!work->attempts.Pauses(pool_->Now())) {
      PoolConnection* connection = Choose(*work);
      if (connection != nullptr) {
        Send(*connection, work);
      } else {
        held_up_.Note(*work, pool_->hosts);
      }
    }
    work = next;
  }
}

// First to the connections that tables have for themselves and that have room; then the tables take
// turns.
void Dispatcher::SendOwn() {
  SendAgain(Queue::kOwn);
  SendToOwners();
  const WorkQueues& queues = work_->queues();
  const TableBinding* const loan = queues.TablesOf(Line::kLoan).front();
  const TableBinding* const own = queues.TablesOf(Line::kOwn).front();
  const bool loan_first = own == nullptr || (loan != nullptr && loan->waiting.front()->sequence <
                                                                    own->waiting.front()->sequence);
  SendOwnLine(loan_first ? Line::kLoan : Line::kOwn);
  SendOwnLine(loan_first ? Line::kOwn : Line::kLoan);
}

void Dispatcher::SendToOwners() {
  for (const auto& connection : connections_->all()) {
    const std::shared_ptr<TableBinding> owner = connection->session.owner;
    if (owner == nullptr || WorkQueues::QueueOf(owner->line) != Queue::kOwn) continue;
    for (std::size_t left = owner->waiting.size(); left > 0; --left) {
      Work* work = owner->waiting.front();
      PoolConnection* own = work != nullptr ? Choose(*work, Placement::Among::kOwned) : nullptr;
      if (own == nullptr) break;
      Send(*own, work);
    }
  }
}

// What one table does not find, no other of the line does that has no connection either.
void Dispatcher::SendOwnLine(Line line) {
  WorkQueues& queues = work_->queues();
  std::size_t in_vain = 0;
  for (std::size_t left = queues.lookups(Queue::kOwn); left > 0; --left) {
    TableBinding* table = queues.TablesOf(line).front();
    if (table == nullptr) return;
    Work* work = table->waiting.front();
    PoolConnection* connection = Choose(*work);
    if (connection == nullptr &&
        (!OwnsConnection(*table) || ++in_vain > connections_->all().size())) {
      return;
    }
    queues.ToTheBack(table);
    if (connection != nullptr) Send(*connection, work);
  }
}

bool Dispatcher::OwnsConnection(const TableBinding& binding) const {
  return std::ranges::any_of(connections_->all(), [&](const auto& connection) {
    return connection->session.owner.get() == &binding;
  });
}

}  // namespace proxymux::pgsql
