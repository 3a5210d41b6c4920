#include <algorithm>

#include "pgsql/connection_pool.h"

// The part of ConnectionPool that looks at the clock: what has waited too long, and which
// connections are no longer wanted.

namespace proxymux::pgsql {
namespace {

// What a connection that was asked to cancel has to react within, before it is dropped.
constexpr Duration kCancelGrace = std::chrono::seconds(1);

// How often limits are looked at: while something could be sent to a connection that was sent
// something just now, while a lookup may be asked of another host when it takes longer than usual,
// while something is under way, while a host waits to be tried
// again (so that its return is seen within a second, see HostHealth), and otherwise.
constexpr Duration kHeldBackTick = std::chrono::milliseconds(1);
constexpr Duration kHedgeTick = std::chrono::milliseconds(1);
constexpr Duration kBusyTick = std::chrono::milliseconds(20);
constexpr Duration kProbeTick = std::chrono::milliseconds(100);
constexpr Duration kIdleTick = std::chrono::milliseconds(500);

}  // namespace

void ConnectionPool::ArmTimer() {
  Duration interval = kIdleTick;
  if (held_back_) {
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
  ExpireWork(&queue_, now);
  ExpireWork(&slow_queue_, now);
  ExpireWaiters(now);
  ExpireStatements(now);
  AskAboutSilence(now);
  Hedge(now);
  CloseIdle(now);
  Dispatch();
}

void ConnectionPool::ExpireWork(WorkList* queue, Time now) {
  WorkList expired;  // a list, since an answer may make other waiters leave
  for (Work* work = queue->front(); work != nullptr;) {
    Work* next = WorkList::Next(work);
    const bool waited = now - work->queued >= config_.settings.queue_wait;
    if (waited || now - work->submitted >= work->binding->settings.lookup_timeout) {
      expired.PushBack(work);
    }
    work = next;
  }
  while (!expired.empty()) {
    Work* work = expired.front();
    WorkList::Remove(work);
    ++counters_.queue_timeouts;
    GiveUp(work, "no connection was free in time: " + last_failure_);
    Recycle(work);
  }
}

// What was sent stays where it is; only its waiter goes.
void ConnectionPool::ExpireWaiters(Time now) {
  for (Work* work = in_flight_.front(); work != nullptr; work = WorkList::Next(work)) {
    if (work->sink != nullptr && now - work->submitted >= work->binding->settings.lookup_timeout) {
      AnswerWork(work, {Outcome::kRetry, {}, "no answer within lookup_timeout"});
    }
  }
  WorkList expired;
  for (Work* work = parked_.front(); work != nullptr;) {
    Work* next = WorkList::Next(work);
    if (now - work->submitted >= work->binding->settings.lookup_timeout) expired.PushBack(work);
    work = next;
  }
  while (Work* work = expired.front()) {
    WorkList::Remove(work);
    GiveUp(work, "no answer within lookup_timeout");
    Recycle(work);
  }
}

void ConnectionPool::ExpireStatements(Time now) {
  for (const auto& owned : connections_) {
    Connection& connection = *owned;
    if (connection.state != Connection::State::kReady || connection.in_flight == 0) continue;
    if (connection.cancelling) {
      if (now - connection.cancelled_at >= kCancelGrace) {
        DropConnection(connection, "the server did not react to a cancel request");
      }
      continue;
    }
    Work* running = connection.upstream->Running();
    if (running == nullptr) continue;
    const Time began = std::max(running->sent, connection.last_result);
    if (now - began < running->binding->settings.query_timeout) continue;
    ++counters_.statement_timeouts;
    StartCancel(connection, now);
    observer_->OnStatementTimeout(config_.name, hosts_[connection.host], *running->binding);
  }
}

void ConnectionPool::StartCancel(Connection& connection, Time now) {
  ++counters_.cancels;
  connection.cancelling = true;
  connection.cancel_may_hit = true;
  connection.cancel_is_certain = connection.in_flight == 1;
  connection.cancelled_at = now;
  connection.upstream->CancelRunning();
}

void ConnectionPool::CloseIdle(Time now) {
  std::size_t open = connections_.size();
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  for (const auto& connection : connections_) {
    if (connection->state != Connection::State::kReady || connection->in_flight > 0) continue;
    if (now - connection->last_used < config_.idle_interval && open <= limit) continue;
    CloseConnection(*connection);
    --open;
  }
}

void ConnectionPool::CloseConnection(Connection& connection) {
  connection.upstream->Close();
  SetState(connection, Connection::State::kClosed);
}

}  // namespace proxymux::pgsql
