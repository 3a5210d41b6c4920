#include <algorithm>
#include <chrono>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that decides what is sent where and when.

namespace proxymux::pgsql {
void ConnectionPool::ScheduleDispatch() { dispatch_->Schedule(); }

std::size_t ConnectionPool::Usable() const {
  return ConnectionBudget::Usable(static_cast<std::size_t>(config_.settings.connections), hosts_);
}

// How many connections the work that there is could use.
std::size_t ConnectionPool::Wanted() const {
  const std::size_t kept_for_quick =
      queues_.lookups(Queue::kSlow) > 0 && QuickLookupsAreAbout() ? 1 : 0;
  const std::size_t lookups = queues_.size() + InFlight() - own_work_;
  return std::min(Usable(), lookups + kept_for_quick + overdue_connects_);
}

void ConnectionPool::Dispatch() {
  ++dispatches_;
  reruns_wait_ = false;
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  while (PoolConnection* surplus = ConnectionBudget::Surplus(View(), limit)) surplus->Drain();
  overdue_connects_ = OverdueConnects();
  depth_ =
      ConnectionBudget::Depth(View(), static_cast<std::size_t>(config_.settings.pipeline_depth),
                              queues_.size() + InFlight(), Wanted());
  for (const auto& connection : connections_) {
    if (connection->draining() && connection->open() && connection->idle()) {
      CloseConnection(*connection);
    }
  }
  RemoveClosed();
  placement_.Begin(View());
  AskCatalogues();
  host_needed_.reset();
  Lanes::EndIdle(View());
  // Who has waited longer goes first: a flood of the one kind does not fill every connection again
  // before the other kind is looked at.
  const Work* const own = queues_.Head(Queue::kOwn);
  const Work* const shared = queues_.Head(Queue::kShared);
  const bool own_first = own != nullptr && shared != nullptr && own->sequence < shared->sequence;
  const bool slow_first = Lanes::SlowFirst(View(), slow_are_next_);
  if (slow_first) {
    SendSlow();
    Lanes::EndUnused(View());
  }
  if (own_first) SendOwn();
  SendQuick();
  if (!own_first) SendOwn();
  if (!slow_first) SendSlow();
  SyncAll();
  Rebalance();
  OpenConnections();
  FailUnservable();
  ShedLoad();
  RemoveClosed();
  ArmTimer();
}

// Bounded by what waits now: what comes back meanwhile waits for the next turn.
void ConnectionPool::SendQuick() {
  SendAgain(Queue::kShared);
  for (std::size_t left = queues_.Shared().size(); left > 0; --left) {
    Work* work = queues_.Shared().front();
    PoolConnection* connection = work != nullptr ? Choose(*work) : nullptr;
    if (connection == nullptr) return;  // no connection has room; those behind find none either
    SendShort(*connection, work);
  }
}

PoolConnection* ConnectionPool::Choose(const Work& work, Placement::Among among) {
  return placement_.Choose(View(), rules_, work, among);
}

// Each by itself: which hosts may have it differs.
void ConnectionPool::SendAgain(Queue queue) {
  std::size_t left = queues_.Again(queue).size();
  for (Work* work = queues_.Again(queue).front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    PoolConnection* connection = Choose(*work);
    if (connection != nullptr) {
      SendShort(*connection, work);
    } else {
      NoteHeldUp(*work);
    }
    work = next;
  }
}

void ConnectionPool::NoteHeldUp(const Work& work) {
  reruns_wait_ = true;
  if (!host_needed_.has_value()) host_needed_ = work.attempts.NeededHost(hosts_, loop_->Now());
}

// What needs no lane.
void ConnectionPool::SendShort(PoolConnection& connection, Work* work) {
  if (work->kind == Work::Kind::kLookup) {
    last_quick_ = loop_->Now();
    if (work->binding->line == Line::kShared) last_shared_ = last_quick_;
    slow_are_next_ = queues_.lookups(Queue::kSlow) > 0;
  }
  work->in_lane = false;
  SendWork(connection, work);
}

// Whether a host may serve is the same for all that was never sent. Collected first: an answer may
// bring new lookups, which are the next turn's.
void ConnectionPool::FailUnservable() {
  WorkList unservable;
  const auto take = [&](Work* work) {
    queues_.Remove(work);
    unservable.PushBack(work);
  };
  if (!hosts_.AnyMayServe(loop_->Now())) {
    while (Work* work = queues_.Oldest()) take(work);
  }
  for (const Queue queue : {Queue::kShared, Queue::kOwn, Queue::kSlow}) {
    for (Work* work = queues_.Again(queue).front(); work != nullptr;) {
      Work* next = WorkList::Next(work);
      if (!work->attempts.MayYetBeServed(hosts_, loop_->Now())) take(work);
      work = next;
    }
  }
  while (Work* work = unservable.front()) {
    GiveUp(work, last_failure_);
    Recycle(work);
  }
}

// Questions of the pool's own, which stand before all lookups, take nobody's place.
void ConnectionPool::ShedLoad() {
  const std::size_t limit =
      static_cast<std::size_t>(config_.settings.queue_limit) + queues_.questions();
  WorkList excess;
  while (queues_.size() > limit) {
    Work* youngest = queues_.Youngest();
    queues_.Remove(youngest);
    excess.PushFront(youngest);
  }
  while (Work* work = excess.front()) {
    ++counters_.queue_full;
    GiveUp(work, "too many lookups are waiting (queue_limit)");
    Recycle(work);
  }
}

void ConnectionPool::RemoveClosed() {
  std::erase_if(connections_, [](const auto& connection) {
    return connection->phase() == PoolConnection::Phase::kClosed;
  });
}

}  // namespace proxymux::pgsql
