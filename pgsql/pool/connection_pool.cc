#include "pgsql/pool/connection_pool.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

namespace proxymux::pgsql {
ConnectionPool::ConnectionPool(PoolConfig config, UpstreamFactory* factory, EventLoop* loop,
                               PoolObserver* observer, std::uint32_t seed)
    : config_(std::move(config)),
      hosts_(config_.hosts),
      factory_(factory),
      loop_(loop),
      observer_(observer),
      random_(seed),
      timer_(loop->NewTimer([this] { Tick(); })),
      dispatch_(loop->NewTurnTask([this] { Dispatch(); })) {
  hosts_.SetPolicy(config_.settings.hosts_policy);
}

ConnectionPool::~ConnectionPool() {
  for (const auto& connection : connections_) {
    if (connection->phase() != PoolConnection::Phase::kClosed) connection->upstream->Close();
  }
  assert(works_.NobodyWaits());
}

void ConnectionPool::SetSettings(const config::PoolSettings& settings) {
  config_.settings = settings;
  hosts_.SetPolicy(settings.hosts_policy);
}

void ConnectionPool::ForgetStatements() {
  for (const auto& connection : connections_) connection->prepared.RetireAll();
}

Work* ConnectionPool::NewWork(Work::Kind kind, std::shared_ptr<TableBinding> binding) {
  Work* work = works_.Take();
  work->kind = kind;
  if (kind != Work::Kind::kLookup) ++own_work_;
  work->may_write = binding->write_class != WriteClass::kReads;
  work->alone = false;
  work->form = StatementForm::kText;
  work->as_text = false;
  work->in_lane = false;
  work->is_second = false;
  work->lost_among = 0;
  work->sent = {};
  work->script = kind == Work::Kind::kLookup && binding->IsScript();
  work->binding = std::move(binding);
  work->submitted = loop_->Now();
  work->attempts.Reset(hosts_.size());
  work->sequence = ++last_sequence_;
  return work;
}

void ConnectionPool::Recycle(Work* work) {
  if (work->kind != Work::Kind::kLookup) --own_work_;
  queues_.Remove(work);
  WorkList::Remove(work);  // parked, or on a list of what is over
  LookupDeadlines::Remove(work);
  Unlink(work);
  works_.GiveBack(work);
}

Work* ConnectionPool::Submit(std::shared_ptr<TableBinding> binding, std::string_view key,
                             LookupSink* sink) {
  if (!rules_.Known(*binding) && binding->write_class != WriteClass::kAsking) Classify(binding);
  asks_catalogue_ = asks_catalogue_ || binding->catalogue != 0;
  Work* work = NewWork(Work::Kind::kLookup, std::move(binding));
  work->key = key;
  work->sink = sink;
  deadlines_.Add(work, work->binding->settings.lookup_timeout);
  ++counters_.lookups;
  Enqueue(work);
  return work;
}

void ConnectionPool::Abandon(Work* work) {
  work->sink = nullptr;
  LookupDeadlines::Remove(work);
  if (!WorkList::InFlight(work)) {
    Recycle(work);  // what was sent is waited for, for the sake of the order
  } else if (work->second != nullptr && !WorkList::InFlight(work->second)) {
    Recycle(work->second);
  }
}

void ConnectionPool::Classify(const std::shared_ptr<TableBinding>& binding) {
  binding->write_class = WriteClass::kAsking;
  Work* work = NewWork(Work::Kind::kClassify, binding);
  work->may_write = false;
  work->sequence = 0;  // before every lookup: some wait for it
  Enqueue(work);
}

// After something was learned of the table.
void ConnectionPool::Reline(TableBinding* binding) {
  queues_.SetLine(binding, rules_.LineOf(*binding));
}

void ConnectionPool::Enqueue(Work* work) {
  work->in_lane = false;
  Reline(work->binding.get());
  queues_.Add(work, loop_->Now());
  ScheduleDispatch();
}

bool ConnectionPool::Awaited(const Work& work) {
  return work.sink != nullptr || (work.first != nullptr && work.first->sink != nullptr);
}

void ConnectionPool::AnswerWork(Work* work, const Answer& answer) {
  Work* asked = Asked(work);
  LookupSink* sink = std::exchange(asked->sink, nullptr);
  LookupDeadlines::Remove(asked);
  // The one of the two that is not under way is of no more use.
  if (asked->second != nullptr && !WorkList::InFlight(asked->second) && asked->second != work) {
    Recycle(asked->second);
  }
  if (sink != nullptr) sink->OnAnswer(answer);
}

// Ends the tie between the two tries of one lookup. One that had failed before and waited for the
// other is on its own again.
void ConnectionPool::Unlink(Work* work) {
  if (Work* second = std::exchange(work->second, nullptr)) {
    second->first = nullptr;
    if (!WorkList::InFlight(second)) Recycle(second);
  }
  if (Work* first = std::exchange(work->first, nullptr)) {
    first->second = nullptr;
    if (WorkList::ListOf(first) == &parked_) {
      if (!RunAgain(first, last_failure_)) Recycle(first);
    }
  }
}

void ConnectionPool::GiveUp(Work* work, std::string_view reason) {
  switch (work->kind) {
    case Work::Kind::kClassify:
      if (work->binding->write_class == WriteClass::kAsking) {
        work->binding->write_class = WriteClass::kUnknown;
      }
      return;
    case Work::Kind::kPrepare:
    case Work::Kind::kStamp:
    case Work::Kind::kDeallocate:
      return;
    case Work::Kind::kLookup:
      if (work->first != nullptr) return;
      AnswerWork(work, {Outcome::kRetry, {}, reason, {}, hosts_.AllDown()});
      return;
  }
}

bool ConnectionPool::RunAgain(Work* work, std::string_view reason) {
  // Of use on their connection only.
  switch (work->kind) {
    case Work::Kind::kPrepare:
    case Work::Kind::kStamp:
    case Work::Kind::kDeallocate:
      return false;
    case Work::Kind::kLookup:
    case Work::Kind::kClassify:
      break;
  }
  if (work->first != nullptr) return false;  // the lookup has another try under way
  if (work->kind == Work::Kind::kLookup && work->sink == nullptr) return false;
  if (work->second != nullptr) {
    parked_.PushBack(work);
    return true;
  }
  if (!work->attempts.MayYetBeServed(hosts_, loop_->Now())) {
    GiveUp(work, reason);
    return false;
  }
  ++counters_.reruns;
  Enqueue(work);
  return true;
}

PoolView ConnectionPool::View() const {
  PoolView view{connections_, hosts_, loop_->Now()};
  view.turn = dispatches_;
  view.depth = depth_;
  view.usable = Usable();
  view.sharers_about = SharersAreAbout();
  view.quick_about = queues_.questions() > 0 || QuickLookupsAreAbout();
  return view;
}

PoolConnection& ConnectionPool::Find(UpstreamConnection* upstream) {
  for (const auto& connection : connections_) {
    if (connection->upstream.get() == upstream) return *connection;
  }
  assert(false && "a callback from a connection that the pool does not know");
  std::abort();
}

void ConnectionPool::Move(PoolConnection& connection, PoolConnection::Phase phase) {
  PoolHost& host = hosts_[connection.host];
  if (connection.phase() == PoolConnection::Phase::kConnecting) --host.connecting;
  if (connection.open()) --host.ready;
  connection.SetPhase(phase);
  if (connection.open()) ++host.ready;
}

void ConnectionPool::OnReady(UpstreamConnection* upstream) {
  PoolConnection& connection = Find(upstream);
  Move(connection, PoolConnection::Phase::kShared);
  connection.last_used = connection.last_result = loop_->Now();
  PoolHost& host = hosts_[connection.host];
  ++host.connects;
  host.slow_to_connect = false;
  host.health.OnConnected(loop_->Now());
  ScheduleDispatch();
}

void ConnectionPool::OnAllAnswered(UpstreamConnection* upstream) {
  if (upstream->Pooled()) ScheduleDispatch();
}

void ConnectionPool::OnNoPooler(UpstreamConnection*) {
  if (!queues_.empty()) ScheduleDispatch();
}

// So are all others to that host, which are of the same role and database. What they have in flight
// is looked at as it is answered.
void ConnectionPool::OnOutdated(UpstreamConnection* upstream) {
  const std::size_t host = Find(upstream).host;
  for (const auto& connection : connections_) {
    if (connection->host == host) connection->Outdate();
  }
  ScheduleDispatch();
}

void ConnectionPool::OnConnectFailed(UpstreamConnection* upstream, const ConnectionFault& failure) {
  PoolConnection& connection = Find(upstream);
  PoolHost& host = hosts_[connection.host];
  Move(connection, PoolConnection::Phase::kClosed);
  ++host.connect_failures;
  host.slow_to_connect = false;
  last_failure_ = host.label + ": " + failure.text;
  const bool suspected = host.health.state() == HostHealth::State::kSuspect;
  const ErrorVerdict verdict = ClassifyError({failure.sqlstate, /*fatal=*/true, Phase::kConnect});
  FailHost(
      host,
      verdict.passes ? HostHealth::FailureKind::kUnreachable : HostHealth::FailureKind::kRefused,
      failure.text, loop_->Now() - connection.last_used);
  // A server that answers, be it with a refusal, lives: what it owes on other connections may come.
  if (suspected && failure.sqlstate.empty()) DropSuspects(connection.host, failure.text);
  ScheduleDispatch();
}

void ConnectionPool::OnLost(UpstreamConnection* upstream, const ConnectionFault& why) {
  const ServerError said{why.sqlstate, /*fatal=*/true, Phase::kText};
  const bool is_session = !why.sqlstate.empty() && ClassifyError(said).fault == Fault::kConnection;
  DropConnection(Find(upstream), why.text, is_session ? Loss::kSessionEnded : Loss::kPerhapsHost);
  ScheduleDispatch();
}

void ConnectionPool::DropConnection(PoolConnection& connection, const std::string& reason,
                                    Loss loss) {
  const std::vector<Work*> unanswered = connection.upstream->Close();
  Move(connection, PoolConnection::Phase::kClosed);
  PoolHost& host = hosts_[connection.host];
  if (!unanswered.empty()) {
    ++counters_.connections_lost;
    host.failures += unanswered.size();
  }
  last_failure_ = host.label + ": " + reason;
  observer_->OnConnectionLost(config_.name, host, reason, unanswered.size());
  // To get a connection and no answer on it is not to be connected. A host that is suspect is put
  // to the test anyway.
  if (loss != Loss::kSessionEnded && !connection.answered && connection.last_sent != Time{} &&
      host.health.state() != HostHealth::State::kSuspect) {
    FailHost(host, HostHealth::FailureKind::kUnreachable, reason, Duration::zero());
  }
  for (Work* work : unanswered) {
    CountBack(connection, work);
    // Only the oldest can be to blame, and when the session ended with an error that one has had
    // it.
    if ((work == unanswered.front() && loss != Loss::kSessionStuck) || !connection.answered) {
      ChargeLoss(connection, work);
    } else {
      TakeBackAttempt(connection, work);
    }
    if (!RunAgain(work, last_failure_)) Recycle(work);
  }
  ScheduleDispatch();
}

// A server that goes away ends one connection after the other: where there is no other host to go
// to, no attempt is used up on those that were there already when the first one was lost.
void ConnectionPool::ChargeLoss(const PoolConnection& connection, Work* work) {
  if (hosts_.size() == 1 && work->attempts.on(connection.host) > 1 &&
      connection.number <= work->lost_among) {
    TakeBackAttempt(connection, work);
  } else if (work->lost_among == 0) {
    work->lost_among = last_connection_;
  }
}

std::size_t ConnectionPool::InFlight() const {
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) in_flight += connection->in_flight().size();
  return in_flight;
}

std::size_t ConnectionPool::InFlightOn(std::size_t host) const {
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) {
    if (connection->host == host) in_flight += connection->in_flight().size();
  }
  return in_flight;
}

PoolCounters ConnectionPool::counters() const {
  PoolCounters counters = counters_;
  counters.prepares = sender_.prepares();
  counters.syncs = sender_.syncs();
  return counters;
}

PoolGauges ConnectionPool::Gauges() const {
  PoolGauges gauges;
  for (const auto& connection : connections_) {
    if (connection->phase() == PoolConnection::Phase::kConnecting) ++gauges.connecting;
    if (!connection->open()) continue;
    ++gauges.ready;
    if (!connection->idle()) ++gauges.busy;
  }
  gauges.queued = queues_.size();
  gauges.in_flight = InFlight();
  if (!queues_.empty()) gauges.oldest_wait = loop_->Now() - queues_.Oldest()->queued;
  return gauges;
}

}  // namespace proxymux::pgsql
