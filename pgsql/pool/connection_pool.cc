#include "pgsql/pool/connection_pool.h"

#include <chrono>
#include <utility>

#include "pgsql/host/error_class.h"

namespace proxymux::pgsql {
namespace {

// How often limits are looked at: while something could be sent to a connection that was sent
// something just now, while a lookup may be asked of another host when it takes longer than usual,
// while something is under way, while a host waits to be tried again (so that its return is seen
// within a second, see HostHealth), while lookups wait for a host, and otherwise.
constexpr Duration kHeldBackTick = std::chrono::milliseconds(1);
constexpr Duration kHedgeTick = std::chrono::milliseconds(1);
constexpr Duration kBusyTick = std::chrono::milliseconds(20);
constexpr Duration kProbeTick = std::chrono::milliseconds(100);
constexpr Duration kOutageTick = std::chrono::milliseconds(10);
constexpr Duration kIdleTick = std::chrono::milliseconds(500);

}  // namespace

ConnectionPool::ConnectionPool(PoolConfig config, UpstreamFactory* factory, EventLoop* loop,
                               PoolObserver* observer, std::uint32_t seed)
    : pool_(std::move(config), loop, observer, seed),
      connections_(&pool_, &work_, factory, this),
      timer_(loop->NewTimer([this] { Tick(); })) {
  pool_.dispatch = loop->NewTurnTask([this] { Dispatch(); });
  ApplySettings();
}

Work* ConnectionPool::Submit(std::shared_ptr<TableBinding> binding, std::string_view key,
                             LookupSink* sink) {
  catalogues_.NoteTable(*binding);
  return work_.Submit(std::move(binding), key, sink);
}

void ConnectionPool::SetSettings(const config::PoolSettings& settings) {
  pool_.config.settings = settings;
  ApplySettings();
}

void ConnectionPool::ApplySettings() {
  pool_.hosts.SetPolicy(pool_.settings().hosts_policy);
  pool_.hosts.SetPrefersStandby(pool_.config.prefers_standby);
  pool_.lag_rule.SetLimit(pool_.settings().max_replica_lag, pool_.settings().when_all_lag,
                          &pool_.hosts);
  const bool several = pool_.hosts.size() > 1;
  auto wanted = LagRule::Wanted::kAny;
  if (several && pool_.config.prefers_standby) wanted = LagRule::Wanted::kPreferStandby;
  if (several && pool_.config.wants_primary) wanted = LagRule::Wanted::kPrimary;
  pool_.lag_rule.SetWanted(wanted);
  pool_.hosts.SetOutageWait(pool_.settings().outage_wait);
}

void ConnectionPool::ForgetStatements() {
  for (const auto& connection : connections_.all()) connection->prepared.RetireAll();
}

void ConnectionPool::SetDisabled(std::size_t host, bool disabled) {
  HostHealth& health = pool_.hosts[host].health;
  if (health.disabled() == disabled) return;
  if (disabled) {
    health.Disable(pool_.Now());
    if (!pool_.hosts.AnyMayServe()) {
      pool_.last_failure = pool_.hosts[host].label + ": the administrator has disabled it";
    }
    connections_.Leave(host);
  } else {
    health.Enable();
    opener_.Welcome(host);
  }
  pool_.ScheduleDispatch();
}

std::size_t ConnectionPool::Reconnect(std::size_t host) {
  pool_.ScheduleDispatch();
  return opener_.BeginRenewal(host);
}

PoolCounters ConnectionPool::counters() const {
  PoolCounters counters = pool_.counters;
  counters.prepares = sender_.prepares();
  counters.syncs = sender_.syncs();
  return counters;
}

PoolGauges ConnectionPool::Gauges() const {
  PoolGauges gauges;
  connections_.FillIn(&gauges);
  const WorkQueues& queues = work_.queues();
  gauges.queued = queues.size() - queues.questions();
  const Outage& outage = pool_.hosts.outage();
  gauges.outage = outage.state();
  if (gauges.outage != Outage::State::kNone) gauges.outage_lasts = pool_.Now() - outage.begun();
  const Time now = pool_.Now();
  gauges.busy_time = pool_.levels.busy.Area(now);
  gauges.queued_time = pool_.levels.queued.Area(now);
  gauges.most_busy = pool_.levels.busy.Highest(now);
  gauges.most_queued = pool_.levels.queued.Highest(now);
  if (gauges.queued > 0) gauges.oldest_wait = pool_.Now() - queues.Oldest()->queued;
  return gauges;
}

bool ConnectionPool::Idle() const {
  return work_.queues().empty() && InFlight() == 0 && work_.NoneParked();
}

void ConnectionPool::OnReady(UpstreamConnection* upstream) {
  connections_.OnReady(connections_.Find(upstream));
}

void ConnectionPool::OnConnectFailed(UpstreamConnection* upstream, const ConnectionFault& failure) {
  connections_.OnConnectFailed(connections_.Find(upstream), failure);
}

void ConnectionPool::OnResult(UpstreamConnection* upstream, Work* work,
                              const StatementResult& result) {
  results_.OnResult(connections_.Find(upstream), work, result);
}

void ConnectionPool::OnAllAnswered(UpstreamConnection* upstream) {
  if (upstream->Pooled()) pool_.ScheduleDispatch();
}

void ConnectionPool::OnNoPooler(UpstreamConnection*) {
  if (!work_.queues().empty()) pool_.ScheduleDispatch();
}

// So are all others to that host, which are of the same role and database. What they have in flight
// is looked at as it is answered.
void ConnectionPool::OnOutdated(UpstreamConnection* upstream) {
  connections_.Outdate(connections_.Find(upstream).host);
}

void ConnectionPool::OnLost(UpstreamConnection* upstream, const ConnectionFault& why) {
  const ServerError said{why.sqlstate, /*fatal=*/true, ErrorStage::kText};
  const bool is_session = !why.sqlstate.empty() && ClassifyError(said).fault == Fault::kConnection;
  using Loss = ConnectionSet::Loss;
  Loss loss = is_session ? Loss::kSessionEnded : Loss::kPerhapsHost;
  if (why.end == ConnectionFault::End::kGivenUp) loss = Loss::kGivenUp;
  if (why.end == ConnectionFault::End::kOutdated) loss = Loss::kOutdated;
  connections_.Drop(connections_.Find(upstream), why.text, loss);
}

// Which hosts are used while others are away depends on how long that lasts, and the other way
// round.
void ConnectionPool::LookAtHosts() {
  lags_.Look();
  const Outage::State before = pool_.hosts.outage().state();
  outages_.Look();
  if (pool_.hosts.outage().state() == before) return;
  lags_.Look();
  outages_.Look();
}

void ConnectionPool::Dispatch() {
  ++pool_.turn.number;
  LookAtHosts();
  opener_.Begin();
  connections_.CloseDrained();
  connections_.RemoveClosed();
  dispatcher_.Begin();
  catalogues_.AskForStamps();
  lags_.Ask();
  dispatcher_.SendAll();
  sender_.EndBatches();
  opener_.Rebalance(dispatcher_.held_up());
  opener_.Open(dispatcher_.held_up(), dispatcher_.session_wanted());
  opener_.MakeWay();
  outages_.NoteWaiting();
  limits_.Shed();
  connections_.RemoveClosed();
  pool_.levels.queued.Set(pool_.Now(), work_.queues().size() - work_.queues().questions());
  ArmTimer();
}

void ConnectionPool::Tick() {
  next_tick_.reset();
  limits_.Expire();
  second_asking_.WatchSilence();
  second_asking_.Hedge();
  opener_.CloseIdle();
  Dispatch();
}

void ConnectionPool::ArmTimer() {
  if (Idle() && !pool_.hosts.AnyDown() && connections_.all().empty()) return;
  // Never put off: a busy loop dispatches more often than the timer would run out.
  const Duration interval = TickInterval();
  const Time due = pool_.Now() + interval;
  if (next_tick_.has_value() && *next_tick_ <= due) return;
  next_tick_ = due;
  timer_->Start(interval);
}

Duration ConnectionPool::TickInterval() const {
  if (dispatcher_.held_back()) return kHeldBackTick;
  if (second_asking_.HedgesSoon()) return kHedgeTick;
  if (pool_.hosts.outage().waiting()) return kOutageTick;
  if (!Idle()) return kBusyTick;
  return pool_.hosts.AnyDown() ? kProbeTick : kIdleTick;
}

}  // namespace proxymux::pgsql
