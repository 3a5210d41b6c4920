#include <algorithm>
#include <chrono>
#include <string>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that looks at the clock: what has waited too long, and which
// connections are no longer wanted.

namespace proxymux::pgsql {
namespace {

// How often limits are looked at: while something could be sent to a connection that was sent
// something just now, while a lookup may be asked of another host when it takes longer than usual,
// while something is under way, while a host waits to be tried
// again (so that its return is seen within a second, see HostHealth), and otherwise.
constexpr Duration kHeldBackTick = std::chrono::milliseconds(1);
constexpr Duration kHedgeTick = std::chrono::milliseconds(1);
constexpr Duration kBusyTick = std::chrono::milliseconds(20);
constexpr Duration kProbeTick = std::chrono::milliseconds(100);
constexpr Duration kIdleTick = std::chrono::milliseconds(500);

constexpr char kTooLong[] = "no answer within lookup_timeout";

}  // namespace

void ConnectionPool::ArmTimer() {
  Duration interval = kIdleTick;
  if (placement_.held_back()) {
    interval = kHeldBackTick;
  } else if (hedgeable_ > 0 && hosts_.size() > 1) {
    interval = kHedgeTick;
  } else if (!Quiet()) {
    interval = kBusyTick;
  } else if (hosts_.AnyDown()) {
    interval = kProbeTick;
  } else if (connections_.empty()) {
    return;
  }
  // Never put off: a busy loop dispatches more often than the timer would run out.
  const Time due = loop_->Now() + interval;
  if (next_tick_.has_value() && *next_tick_ <= due) return;
  next_tick_ = due;
  timer_->Start(interval);
}

void ConnectionPool::Tick() {
  next_tick_.reset();
  const Time now = loop_->Now();
  ExpireQueued(now);
  ExpireLookups(now);
  ExpireStatements(now);
  AskAboutSilence(now);
  Hedge(now);
  CloseIdle(now);
  Dispatch();
}

// What a lookup that was not sent in time has waited for.
std::string ConnectionPool::WhyItWaited(Time now) const {
  const std::string limit = "it was not sent within queue_wait: ";
  if (hosts_.AllDown()) return limit + last_failure_;
  std::size_t busy = 0;
  std::size_t slow = 0;
  std::size_t owned = 0;
  const Work* oldest = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->open()) continue;
    if (!connection->idle()) ++busy;
    if (connection->slow_in_flight() > 0) ++slow;
    if (connection->session.owner != nullptr) ++owned;
    const Work* running = connection->running();
    if (running != nullptr && (oldest == nullptr || running->sent < oldest->sent)) oldest = running;
  }
  if (busy == 0) return limit + "no connection was ready; " + last_failure_;
  std::string reason = limit + std::to_string(busy) + " of " +
                       std::to_string(config_.settings.connections) + " connections are busy";
  if (slow > 0) reason += ", " + std::to_string(slow) + " of them with slow statements";
  if (owned > 0) reason += ", " + std::to_string(owned) + " belong to tables that change sessions";
  if (oldest != nullptr) {
    reason +=
        "; the longest statement, of " + oldest->binding->name + ", has been under way for " +
        std::to_string(
            std::chrono::duration_cast<std::chrono::milliseconds>(now - oldest->sent).count()) +
        " ms";
  }
  return reason;
}

// Bounded by what waits now: an answer may bring new lookups.
void ConnectionPool::ExpireQueued(Time now) {
  for (std::size_t left = queues_.size(); left > 0; --left) {
    Work* oldest = queues_.Oldest();
    if (oldest == nullptr || now - oldest->queued < config_.settings.queue_wait) return;
    GiveUpWaiting(oldest, now);
  }
}

void ConnectionPool::GiveUpWaiting(Work* work, Time now) {
  queues_.Remove(work);
  ++counters_.queue_timeouts;
  GiveUp(work, WhyItWaited(now));
  Recycle(work);
}

// Wherever they are. What was sent stays where it is; only its waiter goes.
void ConnectionPool::ExpireLookups(Time now) {
  while (Work* work = deadlines_.TakeDue(now)) {
    if (queues_.Holds(work)) {
      GiveUpWaiting(work, now);
      continue;
    }
    if (WorkList::InFlight(work)) {
      AnswerWork(work, {Outcome::kRetry, {}, kTooLong});
      continue;
    }
    WorkList::Remove(work);  // it is parked
    GiveUp(work, kTooLong);
    Recycle(work);
  }
}

void ConnectionPool::ExpireStatements(Time now) {
  for (const auto& owned : connections_) {
    PoolConnection& connection = *owned;
    if (!connection.open() || connection.idle()) continue;
    if (connection.cancel.pending()) {
      if (connection.cancel.Overdue(now)) {
        DropConnection(connection, "the server did not react to a cancel request");
      }
      continue;
    }
    Work* running = connection.running();
    if (running == nullptr) continue;
    const Time began = std::max(running->sent, connection.last_result);
    if (now - began < running->binding->settings.query_timeout) continue;
    ++counters_.statement_timeouts;
    StartCancel(connection, now);
    observer_->OnStatementTimeout(config_.name, hosts_[connection.host], *running->binding);
  }
}

void ConnectionPool::StartCancel(PoolConnection& connection, Time now) {
  ++counters_.cancels;
  connection.cancel.OnSent(now, connection.in_flight().size());
  connection.upstream->CancelRunning();
}

void ConnectionPool::CloseIdle(Time now) {
  std::size_t open = connections_.size();
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  for (const auto& connection : connections_) {
    if (!connection->open() || !connection->idle()) continue;
    if (now - connection->last_used < config_.idle_interval && open <= limit) continue;
    CloseConnection(*connection);
    --open;
  }
}

void ConnectionPool::CloseConnection(PoolConnection& connection) {
  connection.upstream->Close();
  Move(connection, PoolConnection::Phase::kClosed);
}

}  // namespace proxymux::pgsql
