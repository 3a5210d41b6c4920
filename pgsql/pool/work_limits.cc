#include "pgsql/pool/work_limits.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/wait_reason.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {
namespace {

using Queue = WorkQueues::Queue;

// How long a question of the pool's own may take.
constexpr Duration kQuestion = std::chrono::seconds(10);

constexpr char kTooLong[] = "no answer within lookup_timeout";

}  // namespace

void WorkLimits::Expire() {
  ExpireQueued();
  ExpireLookups();
  ExpireStatements();
}

// Bounded by what waits now: an answer may bring new lookups.
void WorkLimits::ExpireQueued() {
  const Outage& outage = pool_->hosts.outage();
  if (outage.waiting()) return;  // outage_wait is the limit
  const WorkQueues& queues = work_->queues();
  for (std::size_t left = queues.size(); left > 0; --left) {
    Work* oldest = queues.Oldest();
    if (oldest == nullptr) return;
    const Time since = std::max(oldest->queued, outage.over().value_or(Time{}));
    if (pool_->Now() - since < pool_->settings().queue_wait) return;
    if (oldest->kind == Work::Kind::kLookup) ++pool_->counters.queue_timeouts;
    GiveUpWaiting(oldest);
  }
}

void WorkLimits::GiveUpWaiting(Work* work) {
  work_->queues().Remove(work);
  work_->GiveUp(work, WaitReason(connections_->View(), pool_->limit(), pool_->last_failure));
  work_->Recycle(work);
}

// Wherever they are. What was sent stays where it is; only its waiter goes.
void WorkLimits::ExpireLookups() {
  while (Work* work = work_->deadlines().TakeDue(pool_->Now())) {
    ++pool_->counters.lookup_timeouts;
    if (work_->queues().Holds(work)) {
      GiveUpWaiting(work);
      continue;
    }
    if (WorkList::InFlight(work)) {
      work_->AnswerLookup(work, {Outcome::kRetry, {}, kTooLong});
      continue;
    }
    WorkList::Remove(work);  // it is parked
    work_->GiveUp(work, kTooLong);
    work_->Recycle(work);
  }
}

void WorkLimits::ExpireStatements() {
  const Time now = pool_->Now();
  for (const auto& owned : connections_->all()) {
    PoolConnection& connection = *owned;
    if (!connection.open() || connection.idle()) continue;
    if (connection.cancel.pending()) {
      if (connection.cancel.Overdue(now)) {
        connections_->Drop(connection, "the server did not react to a cancel request");
      }
      continue;
    }
    Work* const running = connection.running();
    const Time began = std::max(running->sent, connection.last_result);
    Duration limit = running->binding->settings.query_timeout;
    // A question is no table's fault. Lookups may wait behind it, so it has no more time than one.
    const bool question = running->kind == Work::Kind::kLag || running->kind == Work::Kind::kStamp;
    if (question) limit = std::min(limit, kQuestion);
    if (now - began < limit) continue;
    if (question) {
      connections_->Cancel(connection);
      continue;
    }
    ++pool_->counters.statement_timeouts;
    connections_->Cancel(connection);
    pool_->observer->OnStatementTimeout(pool_->config.name, pool_->hosts[connection.host],
                                        *running->binding);
  }
}

void WorkLimits::Shed() {
  GiveUpUnservable();
  GiveUpExcess();
}

// Whether a host may serve is the same for all that was never sent. Collected first: an answer may
// bring new lookups, which are the next turn's.
void WorkLimits::GiveUpUnservable() {
  WorkQueues& queues = work_->queues();
  WorkList unservable;
  const auto take = [&](Work* work) {
    queues.Remove(work);
    unservable.PushBack(work);
  };
  if (!pool_->hosts.AnyMayServe()) {
    while (Work* work = queues.Oldest()) take(work);
  }
  for (const Queue queue : {Queue::kShared, Queue::kOwn, Queue::kSlow}) {
    for (Work* work = queues.Again(queue).front(); work != nullptr;) {
      Work* next = WorkList::Next(work);
      if (!work->attempts.MayYetBeServed(pool_->hosts)) take(work);
      work = next;
    }
  }
  while (Work* work = unservable.front()) {
    work_->GiveUp(work, pool_->last_failure);
    work_->Recycle(work);
  }
}

// Questions of the pool's own, which stand before all lookups, take nobody's place.
void WorkLimits::GiveUpExcess() {
  WorkQueues& queues = work_->queues();
  const std::size_t limit =
      static_cast<std::size_t>(pool_->settings().queue_limit) + queues.questions();
  WorkList excess;
  while (queues.size() > limit) {
    Work* youngest = queues.Youngest();
    queues.Remove(youngest);
    excess.PushFront(youngest);
  }
  while (Work* work = excess.front()) {
    ++pool_->counters.queue_full;
    work_->GiveUp(work, "too many lookups are waiting (queue_limit)");
    work_->Recycle(work);
  }
}

}  // namespace proxymux::pgsql
