#include <algorithm>
#include <cassert>

#include "pgsql/connection_pool.h"

// The half of ConnectionPool that decides what is sent where and when, and what has waited too
// long.

namespace proxymux::pgsql {
namespace {

// How often one lookup is sent to the same host: once, and once more when its connection died
// there.
constexpr std::uint8_t kAttemptsPerHost = 2;

// What a connection that was asked to cancel has to react within, before it is dropped.
constexpr Duration kCancelGrace = std::chrono::seconds(1);

// How often limits are looked at while something is under way, and otherwise.
constexpr Duration kBusyTick = std::chrono::milliseconds(20);
constexpr Duration kIdleTick = std::chrono::milliseconds(500);

// $1: names called as functions, $2: names that may be functions of one composite argument in
// attribute notation.
constexpr char kClassifySql[] =
    "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.provolatile = 'v' AND"
    " (p.proname = ANY ($1::pg_catalog.name[]) OR (p.pronargs = 1 AND"
    " p.proname = ANY ($2::pg_catalog.name[]) AND EXISTS (SELECT 1 FROM pg_catalog.pg_type t"
    " WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')))))";

// An array literal of names (PostgreSQL manual, "Array Input and Output Syntax").
std::string ArrayLiteral(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : name) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

// Goes to any connection with room.
bool IsOrdinary(const Work& work) {
  return !work.script && std::all_of(work.attempts.begin(), work.attempts.end(),
                                     [](std::uint8_t count) { return count == 0; });
}

}  // namespace

void ConnectionPool::ScheduleDispatch() {
  if (dispatch_scheduled_) return;
  dispatch_scheduled_ = true;
  loop_->AtEndOfTurn([this, alive = std::weak_ptr<void>(alive_)] {
    if (alive.expired()) return;
    dispatch_scheduled_ = false;
    Dispatch();
  });
}

void ConnectionPool::Dispatch() {
  RemoveClosed();
  for (const auto& connection : connections_) connection->held_for_script = connection->runs_script;
  // Bounded by the queue as it is now: what comes back meanwhile waits for the next turn.
  std::size_t left = queue_.size();
  for (Work* work = queue_.front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    Connection* connection = ChooseConnection(*work);
    if (connection != nullptr) {
      SendWork(*connection, work);
    } else if (IsOrdinary(*work)) {
      break;  // no connection has room; those behind it would find none either
    }
    work = next;
  }
  SyncAll();
  OpenConnections();
  FailUnservable();
  RemoveClosed();
  ArmTimer();
}

bool ConnectionPool::PreferOtherHost(const Work& work, std::size_t host) const {
  if (work.attempts[host] == 0) return false;
  if (work.attempts[host] >= kAttemptsPerHost) return true;
  for (std::size_t other = 0; other < hosts_.size(); ++other) {
    if (work.attempts[other] == 0 && hosts_.MayServe(other, loop_->Now())) return true;
  }
  return false;
}

bool ConnectionPool::MayYetBeServed(const Work& work) const {
  for (std::size_t host = 0; host < hosts_.size(); ++host) {
    if (work.attempts[host] < kAttemptsPerHost && hosts_.MayServe(host, loop_->Now())) return true;
  }
  return false;
}

ConnectionPool::Connection* ConnectionPool::ChooseConnection(const Work& work) {
  Connection* best = nullptr;
  for (const auto& candidate : connections_) {
    Connection& connection = *candidate;
    if (connection.state != Connection::State::kReady || connection.cancelling) continue;
    if (connection.held_for_script && !(work.script && connection.in_flight == 0)) continue;
    if (connection.in_flight >= static_cast<std::size_t>(config_.settings.pipeline_depth)) continue;
    if (PreferOtherHost(work, connection.host)) continue;
    if (best == nullptr || connection.in_flight < best->in_flight) best = &connection;
  }
  if (best != nullptr && work.script && best->in_flight > 0) {
    best->held_for_script = true;  // it runs empty for this work
    return nullptr;
  }
  return best;
}

void ConnectionPool::SendWork(Connection& connection, Work* work) {
  bool sent = false;
  switch (work->kind) {
    case Work::Kind::kClassify: {
      const StatementClass& statement = work->binding->table->statement_class();
      const std::string parameters[] = {ArrayLiteral(statement.called_names),
                                        ArrayLiteral(statement.attribute_names)};
      sent = connection.upstream->SendStatement(work, kClassifySql, parameters);
      break;
    }
    case Work::Kind::kLookup: {
      sql_.clear();
      const Expansion expansion = work->binding->table->query().AppendText(
          KeyParts(work->key), connection.upstream->escaper(), &sql_);
      if (expansion != Expansion::kDone) {
        AnswerWork(work, {Outcome::kNotFound,
                          {},
                          expansion == Expansion::kNotEscapable
                              ? "the key cannot be written in the connection's encoding"
                              : "the key would stand outside of quotes and is not a plain number"});
        Recycle(work);
        return;
      }
      sent = SendLookup(connection, work);
      break;
    }
  }
  if (!sent) {
    DropConnection(connection, "the connection does not take statements any more");
    return;
  }
  ++work->attempts[connection.host];
  ++counters_.statements;
  ++hosts_[connection.host].statements;
  ++connection.in_flight;
  work->sent = loop_->Now();
  in_flight_.PushBack(work);
}

bool ConnectionPool::SendLookup(Connection& connection, Work* work) {
  if (work->script) {
    connection.runs_script = true;
    connection.held_for_script = true;
    return connection.upstream->SendScript(work, sql_);
  }
  if (!work->may_write) {
    connection.unsynced = true;
    return connection.upstream->SendStatement(work, sql_, {});
  }
  // An error would undo what it wrote if it shared a transaction.
  if (connection.unsynced) {
    connection.unsynced = false;
    ++counters_.syncs;
    if (!connection.upstream->Sync()) return false;
  }
  ++counters_.syncs;
  return connection.upstream->SendStatement(work, sql_, {}) && connection.upstream->Sync();
}

void ConnectionPool::SyncAll() {
  for (const auto& connection : connections_) {
    if (connection->state != Connection::State::kReady || !connection->unsynced) continue;
    connection->unsynced = false;
    ++counters_.syncs;
    if (!connection->upstream->Sync()) {
      DropConnection(*connection, "the connection does not take statements any more");
    }
  }
}

void ConnectionPool::OpenConnections() {
  const Time now = loop_->Now();
  std::size_t open = 0;
  for (const auto& connection : connections_) {
    if (connection->state != Connection::State::kClosed) ++open;
  }
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  // One is kept free to find out when a host that is down comes back.
  if (open < limit) {
    if (const auto probe = hosts_.ChooseForProbe(now)) {
      OpenConnection(*probe);
      ++open;
    }
  }
  const std::size_t usable = hosts_.AnyDown() && limit > 1 ? limit - 1 : limit;
  const std::size_t wanted = std::min(usable, queue_.size() + in_flight_.size());
  while (open < wanted) {
    const auto host = hosts_.ChooseForConnection(now, &random_);
    if (!host.has_value()) return;
    OpenConnection(*host);
    ++open;
  }
}

void ConnectionPool::OpenConnection(std::size_t host) {
  auto connection = std::make_unique<Connection>();
  connection->host = host;
  connection->upstream = factory_->NewConnection(host, this);
  connection->state = Connection::State::kClosed;
  SetState(*connection, Connection::State::kConnecting);
  connection->last_used = loop_->Now();
  connections_.push_back(std::move(connection));
  connections_.back()->upstream->Connect();
}

void ConnectionPool::FailUnservable() {
  for (Work* work = queue_.front(); work != nullptr;) {
    Work* next = WorkList::Next(work);
    if (!MayYetBeServed(*work)) {
      WorkList::Remove(work);
      if (!RunAgain(work, last_failure_)) Recycle(work);  // answered: nobody can serve it
    }
    work = next;
  }
  const std::size_t limit = static_cast<std::size_t>(config_.settings.queue_limit);
  while (queue_.size() > limit) {
    Work* work = queue_.front();
    while (WorkList::Next(work) != nullptr) work = WorkList::Next(work);
    WorkList::Remove(work);
    ++counters_.queue_full;
    AnswerWork(work, {Outcome::kRetry, {}, "too many lookups are waiting (queue_limit)"});
    Recycle(work);
  }
}

void ConnectionPool::RemoveClosed() {
  std::erase_if(connections_, [](const auto& connection) {
    return connection->state == Connection::State::kClosed;
  });
}

void ConnectionPool::ArmTimer() {
  if (!queue_.empty() || !in_flight_.empty()) {
    timer_->Start(kBusyTick);
  } else if (!connections_.empty() || hosts_.AnyDown()) {
    timer_->Start(kIdleTick);
  }
}

void ConnectionPool::Tick() {
  const Time now = loop_->Now();
  ExpireWork(now);
  ExpireStatements(now);
  CloseIdle(now);
  Dispatch();
}

void ConnectionPool::ExpireWork(Time now) {
  WorkList expired;  // a list, since an answer may make other waiters leave
  for (Work* work = queue_.front(); work != nullptr;) {
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
    if (work->kind == Work::Kind::kClassify) work->binding->write_class = WriteClass::kUnknown;
    AnswerWork(work, {Outcome::kRetry, {}, "no connection was free in time: " + last_failure_});
    Recycle(work);
  }
  // What was sent stays where it is; only its waiter goes.
  for (Work* work = in_flight_.front(); work != nullptr; work = WorkList::Next(work)) {
    if (work->sink != nullptr && now - work->submitted >= work->binding->settings.lookup_timeout) {
      AnswerWork(work, {Outcome::kRetry, {}, "no answer within lookup_timeout"});
    }
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
    ++counters_.cancels;
    connection.cancelling = true;
    connection.cancelled_at = now;
    connection.upstream->CancelRunning();
    observer_->OnStatementTimeout(config_.name, hosts_[connection.host], *running->binding);
    // The lookup may do better elsewhere; what was sent here is answered to nobody.
    Work* stand_in = NewWork(Work::Kind::kLookup, running->binding);
    in_flight_.PushBack(stand_in);
    connection.upstream->ReplaceRunning(stand_in);
    WorkList::Remove(running);
    running->attempts[connection.host] = kAttemptsPerHost;
    if (!RunAgain(running, "no answer within query_timeout")) Recycle(running);
  }
}

void ConnectionPool::CloseIdle(Time now) {
  std::size_t open = connections_.size();
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  for (const auto& connection : connections_) {
    if (connection->state != Connection::State::kReady || connection->in_flight > 0) continue;
    if (now - connection->last_used < config_.idle_interval && open <= limit) continue;
    connection->upstream->Close();
    SetState(*connection, Connection::State::kClosed);
    --open;
  }
}

}  // namespace proxymux::pgsql
