#include "pgsql/pool/connection_set.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdlib>

#include "pgsql/host/error_class.h"
#include "pgsql/policy/connection_budget.h"
#include "pgsql/work/twin_lookups.h"

namespace proxymux::pgsql {
namespace {

// A connection on which nothing was sent so long was no failed attempt when it ends.
constexpr Duration kAtOnce = std::chrono::seconds(1);

}  // namespace

ConnectionSet::ConnectionSet(PoolContext* pool, OpenWork* work, UpstreamFactory* factory,
                             UpstreamObserver* owner)
    : pool_(pool), work_(work), factory_(factory), owner_(owner) {}

ConnectionSet::~ConnectionSet() {
  for (const auto& connection : connections_) {
    if (connection->phase() != PoolConnection::Phase::kClosed) connection->upstream->Close();
  }
}

PoolConnection& ConnectionSet::Find(UpstreamConnection* upstream) {
  for (const auto& connection : connections_) {
    if (connection->upstream.get() == upstream) return *connection;
  }
  assert(false && "a callback from a connection that the pool does not know");
  std::abort();
}

PoolView ConnectionSet::View() const {
  const WorkQueues& queues = work_->queues();
  PoolView view{connections_, pool_->hosts, pool_->Now()};
  view.turn = pool_->turn.number;
  view.depth = pool_->turn.depth;
  view.usable = ConnectionBudget::Usable(pool_->limit(), pool_->hosts);
  view.sharers_about = pool_->demand.SharersAbout(queues, view.now);
  view.quick_about = queues.questions() > 0 || pool_->demand.QuickAbout(queues, view.now);
  return view;
}

void ConnectionSet::Move(PoolConnection& connection, PoolConnection::Phase phase) {
  PoolHost& host = pool_->hosts[connection.host];
  if (connection.phase() == PoolConnection::Phase::kConnecting) {
    --host.connecting;
    host.slow_to_connect = false;  // others that hang are looked at in each turn
  }
  if (connection.open()) --host.ready;
  connection.SetPhase(phase);
  if (connection.open()) ++host.ready;
  if (host.ready == 0) host.lag.OnLeft(pool_->loop->RealNow());
  // Before anybody asks whether the host may yet serve what the connection owes.
  pool_->hosts.LookForOutage(pool_->Now());
}

// Only older connections are left, which do not end it: the next attempt waits as after a failure.
void ConnectionSet::LeaveTrial(std::size_t index) {
  PoolHost& host = pool_->hosts[index];
  if (host.health.state() != HostHealth::State::kTrial) return;
  if (host.ready == 0 || host.connecting > 0) return;
  const PoolView view = View();
  for (const auto& connection : connections_) {
    if (connection->open() && connection->host == index && view.EndsTrial(*connection)) return;
  }
  host.health.OnFailed(pool_->Now(), HostHealth::FailureKind::kUnreachable, host.health.reason(),
                       &pool_->random, Duration::zero(), pool_->hosts.outage().waiting());
  pool_->hosts.LookForOutage(pool_->Now());
}

void ConnectionSet::Open(std::size_t host) {
  connections_.push_back(std::make_unique<PoolConnection>(++last_number_, host, pool_->Now(),
                                                          factory_->NewConnection(host, owner_)));
  connections_.back()->opened_in_doubt = pool_->hosts[host].InDoubt();
  ++pool_->hosts[host].connecting;
  connections_.back()->upstream->Connect();
}

void ConnectionSet::OnReady(PoolConnection& connection) {
  Move(connection, PoolConnection::Phase::kShared);
  PoolHost& host = pool_->hosts[connection.host];
  host.connect_time.OnConnected(pool_->Now() - connection.last_used, connection.opened_in_doubt);
  host.health.OnConnected(pool_->Now());
  connection.opened = connection.last_used = connection.last_result = pool_->Now();
  ++host.counts.connects;
  host.server_version = connection.upstream->ServerVersion();
  if (host.health.disabled()) connection.Drain();
  pool_->ScheduleDispatch();
}

void ConnectionSet::OnConnectFailed(PoolConnection& connection, const ConnectionFault& failure) {
  PoolHost& host = pool_->hosts[connection.host];
  Move(connection, PoolConnection::Phase::kClosed);
  ++host.counts.connect_failures;
  host.health.NoteError(pool_->Now(), failure.text);
  pool_->last_failure = host.label + ": " + failure.text;
  pool_->ScheduleDispatch();
  // What a later attempt and its answer have shown counts.
  if (failure.sqlstate.empty() && ConnectionBudget::Overtaken(View(), connection)) {
    LeaveTrial(connection.host);
    return;
  }
  const bool suspected = host.health.state() == HostHealth::State::kSuspect;
  const ErrorVerdict verdict =
      ClassifyError({failure.sqlstate, /*fatal=*/true, ErrorStage::kConnect, failure.text});
  FailHost(
      host,
      verdict.passes ? HostHealth::FailureKind::kUnreachable : HostHealth::FailureKind::kRefused,
      failure.text, pool_->Now() - connection.last_used);
  // A server that answers, be it with a refusal, lives: what it owes on other connections may come.
  // Otherwise nobody is to find out about them one after the other.
  if (suspected && failure.sqlstate.empty()) DropOpen(connection.host, failure.text);
}

void ConnectionSet::FailHost(PoolHost& host, HostHealth::FailureKind kind,
                             const std::string& reason, Duration took) {
  const HostHealth::State state = host.health.state();
  // Behind a single name there may be a load balancer with another server at the next attempt, as
  // stock has it since 3.10.
  const bool again = pool_->hosts.size() == 1 && kind == HostHealth::FailureKind::kUnreachable &&
                     !host.retried_at_once &&
                     (state == HostHealth::State::kUntried || state == HostHealth::State::kUp);
  host.retried_at_once = true;
  host.trust.OnNotMade(pool_->Now());
  if (again) return;
  const bool awaited = pool_->hosts.outage().waiting();
  if (host.health.OnFailed(pool_->Now(), kind, reason, &pool_->random, took, awaited)) {
    pool_->observer->OnHostDown(pool_->config.name, host);
  }
  pool_->hosts.LookForOutage(pool_->Now());
}

void ConnectionSet::CountSent(PoolConnection& connection, Work* work) {
  if (work->kind == Work::Kind::kLookup || work->kind == Work::Kind::kClassify) {
    TwinLookups::CountAttempt(work, connection.host);
    ++pool_->counters.statements;
  }
  if (work->binding->settings.hedge_percent > 0) ++hedgeable_;
  work_->queues().Remove(work);
  if (connection.idle()) pool_->levels.busy.Set(pool_->Now(), pool_->levels.busy.level() + 1);
  connection.OnSent(work, pool_->turn.number);
  if (!work->in_lane) return;
  ++work->binding->in_lanes;
  work_->Reline(work->binding.get());
}

void ConnectionSet::CountBack(PoolConnection& connection, Work* work) {
  if (work->binding->settings.hedge_percent > 0) --hedgeable_;
  if (work->in_lane) {
    --work->binding->in_lanes;
    work_->Reline(work->binding.get());
  }
  connection.OnBack(work);
  if (connection.idle()) pool_->levels.busy.Set(pool_->Now(), pool_->levels.busy.level() - 1);
  if (work->kind == Work::Kind::kLag) pool_->hosts[connection.host].lag.OnBack();
}

void ConnectionSet::Cancel(PoolConnection& connection) {
  ++pool_->counters.cancels;
  connection.cancel.OnSent(pool_->Now(), connection.in_flight().size());
  connection.upstream->CancelRunning();
}

void ConnectionSet::ChargeLoss(const PoolConnection& connection, Work* work) {
  work->attempts.ChargeLoss(connection.host, connection.number, last_number_, pool_->hosts);
}

void ConnectionSet::ForgiveAfterLoss(const PoolConnection& connection, Work* work) {
  work->attempts.ForgiveErrorAfterLoss(connection.host, connection.number, pool_->hosts);
}

void ConnectionSet::Close(PoolConnection& connection) {
  connection.upstream->Close();
  Move(connection, PoolConnection::Phase::kClosed);
  LeaveTrial(connection.host);
}

void ConnectionSet::Drop(PoolConnection& connection, const std::string& reason, Loss loss) {
  const std::vector<Work*> unanswered = connection.upstream->Close();
  Move(connection, PoolConnection::Phase::kClosed);
  PoolHost& host = pool_->hosts[connection.host];
  if (!unanswered.empty()) {
    ++pool_->counters.connections_lost;
    host.counts.failures += static_cast<std::uint64_t>(std::ranges::count_if(
        unanswered, [](const Work* work) { return work->kind == Work::Kind::kLookup; }));
    if (loss != Loss::kGivenUp && loss != Loss::kOutdated) {
      host.health.NoteError(pool_->Now(), reason);
    }
  }
  if (SpeaksAgainstHost(loss, unanswered.empty())) {
    if (connection.answered.has_value() || !host.trust.unproven()) {
      host.trust.OnLost(pool_->Now());
    } else if (loss !=
               Loss::kSessionSilent) {  // one that was to prove the host was as good as none
      host.trust.OnNotMade(pool_->Now());
    }
  }
  pool_->last_failure = host.label + ": " + reason;
  pool_->observer->OnConnectionLost(pool_->config.name, host, reason, unanswered.size());
  // To get a connection and no answer on it is not to be connected, nor to lose it at once. A host
  // that is suspect is put to the test anyway.
  const bool at_once = pool_->Now() - connection.opened < kAtOnce;
  const bool was_asked = connection.last_sent != Time{};
  if (FailsHost(loss) && !connection.answered.has_value() && (was_asked || at_once) &&
      host.health.state() != HostHealth::State::kSuspect) {
    FailHost(host, HostHealth::FailureKind::kUnreachable, reason, Duration::zero());
  }
  LeaveTrial(connection.host);
  for (Work* work : unanswered) {
    CountBack(connection, work);
    if (loss == Loss::kSessionSilent) work->attempts.NoteSilence();
    if (MayBlame(loss, *work, *unanswered.front(), connection)) {
      ChargeLoss(connection, work);
    } else {
      TwinLookups::TakeBackAttempt(work, connection.host);
    }
    if (!work_->RunAgain(work, pool_->last_failure)) work_->Recycle(work);
  }
  assert(connection.idle());  // the connection's ledger and the pool's list had the same
  pool_->ScheduleDispatch();
}

// By index: an answer may bring new work, but no new connection before the turn ends.
void ConnectionSet::DropOpen(std::size_t host, const std::string& reason) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    PoolConnection& connection = *connections_[i];
    if (connection.open() && connection.host == host) {
      Drop(connection, reason, Loss::kHostSilent);
    }
  }
}

void ConnectionSet::Leave(std::size_t host) {
  for (const auto& connection : connections_) {
    if (connection->host != host) continue;
    if (connection->phase() == PoolConnection::Phase::kConnecting) Close(*connection);
    connection->Drain();
  }
}

void ConnectionSet::Outdate(std::size_t host) {
  for (const auto& connection : connections_) {
    if (connection->host == host) connection->Outdate();
  }
  pool_->ScheduleDispatch();
}

void ConnectionSet::CloseDrained() {
  for (const auto& connection : connections_) {
    if (connection->draining() && connection->open() && connection->idle()) Close(*connection);
  }
}

void ConnectionSet::RemoveClosed() {
  std::erase_if(connections_, [](const auto& connection) {
    return connection->phase() == PoolConnection::Phase::kClosed;
  });
}

std::size_t ConnectionSet::InFlight() const {
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) in_flight += connection->in_flight().size();
  return in_flight;
}

std::size_t ConnectionSet::InFlightOn(std::size_t host) const {
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) {
    if (connection->host == host) in_flight += connection->in_flight().size();
  }
  return in_flight;
}

void ConnectionSet::FillIn(PoolGauges* gauges) const {
  for (const auto& connection : connections_) {
    if (connection->phase() == PoolConnection::Phase::kConnecting) ++gauges->connecting;
    if (!connection->open()) continue;
    ++gauges->ready;
    if (!connection->idle()) ++gauges->busy;
  }
  gauges->in_flight = InFlight();
}

}  // namespace proxymux::pgsql
