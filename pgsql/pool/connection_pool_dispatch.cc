#include <algorithm>
#include <chrono>
#include <limits>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that decides what is sent where and when.

namespace proxymux::pgsql {
namespace {

// Between two batches on a connection that is busy.
constexpr Duration kBatchInterval = std::chrono::milliseconds(1);

// A connection that owes an answer for that long takes nothing new while another one can.
constexpr Duration kQuiet = std::chrono::milliseconds(25);

}  // namespace

void ConnectionPool::ScheduleDispatch() { dispatch_->Schedule(); }

// After `connections` was lowered: the surplus ends as it runs empty.
void ConnectionPool::RetireSurplus() {
  std::size_t staying = 0;
  for (const auto& connection : connections_) {
    if (connection->phase() == PoolConnection::Phase::kClosed || connection->draining()) continue;
    if (++staying > static_cast<std::size_t>(config_.settings.connections)) {
      connection->Drain();
    }
  }
}

// Nothing is kept for a connection that may never be there.
bool ConnectionPool::Doubtful(const PoolConnection& connection) const {
  const HostHealth::State health = hosts_[connection.host].health.state();
  return health == HostHealth::State::kDown || health == HostHealth::State::kSuspect;
}

// How many statements a connection may have in flight now. What is sent cannot move any more, so as
// long as other connections are being opened, or are about to be, each takes no more than its
// share.
std::size_t ConnectionPool::Depth() {
  const std::size_t depth = static_cast<std::size_t>(config_.settings.pipeline_depth);
  std::size_t connecting = 0;
  std::size_t open = 0;
  for (const auto& connection : connections_) {
    if (connection->phase() == PoolConnection::Phase::kClosed) continue;
    if (connection->phase() == PoolConnection::Phase::kConnecting) {
      if (Doubtful(*connection)) continue;
      ++connecting;
    }
    ++open;
  }
  const std::size_t outstanding = queues_.size() + InFlight();
  const bool more = open < Wanted() && hosts_.MayConnect(loop_->Now());
  const std::size_t expected = more ? Wanted() : open;
  if (connecting == 0 && expected == open) return depth;
  return std::min(depth, std::max<std::size_t>(1, (outstanding + expected - 1) / expected));
}

std::size_t ConnectionPool::Usable() const {
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  // One is kept free to find out when a host that is down comes back.
  return hosts_.AnyDown() && limit > 1 ? limit - 1 : limit;
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
  held_back_ = false;
  reruns_wait_ = false;
  RetireSurplus();
  overdue_connects_ = OverdueConnects();
  depth_ = Depth();
  for (const auto& connection : connections_) {
    if (connection->draining() && connection->open() && connection->idle()) {
      CloseConnection(*connection);
    }
  }
  RemoveClosed();
  RankConnections();
  AskCatalogues();
  host_needed_.reset();
  session_wanted_.reset();
  EndLanes(/*served_only=*/true);
  // Who has waited longer goes first: a flood of the one kind does not fill every connection again
  // before the other kind is looked at.
  const Work* const own = queues_.Head(Queue::kOwn);
  const Work* const shared = queues_.Head(Queue::kShared);
  const bool own_first = own != nullptr && shared != nullptr && own->sequence < shared->sequence;
  const bool slow_first = SlowFirst();
  if (slow_first) {
    SendSlow();
    EndLanes(/*served_only=*/false);
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
    PoolConnection* connection = work != nullptr ? ChooseConnection(*work) : nullptr;
    if (connection == nullptr) return;  // no connection has room; those behind find none either
    SendShort(*connection, work);
  }
}

// Each by itself: which hosts may have it differs.
void ConnectionPool::SendAgain(Queue queue) {
  std::size_t left = queues_.Again(queue).size();
  for (Work* work = queues_.Again(queue).front(); work != nullptr && left > 0; --left) {
    Work* next = WorkList::Next(work);
    PoolConnection* connection = ChooseConnection(*work);
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

// A busy connection is not sent one small batch after the other: each costs the server a
// transaction and both sides a wake-up. What comes meanwhile makes the next one larger.
bool ConnectionPool::TooSoon(const PoolConnection& connection) const {
  return !connection.idle() && connection.sent_in != dispatches_ &&
         loop_->Now() - connection.last_sent < kBatchInterval;
}

// A pooler may give its server to another client at the end of a batch, also when a part of the
// next one is there already: that would be run, and answered, for somebody else. So the next batch
// waits until the one before it is answered in full.
bool ConnectionPool::WaitsForPooler(const PoolConnection& connection, const Work& work) const {
  if (!connection.upstream->Pooled()) return false;
  if (connection.upstream->BatchOpen()) {  // some want a batch of their own
    return work.kind != Work::Kind::kLookup || work.may_write ||
           UseOf(work, connection.host) != SessionUse::kShared;
  }
  return !connection.upstream->AllAnswered();
}

// One statement at a time, until one is answered.
bool ConnectionPool::InTrial(const PoolConnection& connection) const {
  return !connection.idle() && hosts_[connection.host].health.state() == HostHealth::State::kTrial;
}

// Where statements go first. Whoever is sent to a server that does not answer has to wait for
// stall_limit; so those that keep quiet come last.
void ConnectionPool::RankConnections() {
  const Time now = loop_->Now();
  for (const auto& connection : connections_) {
    connection->turn.reluctance = hosts_.Reluctance(connection->host);
    if (connection->stalled) {
      connection->turn.reluctance += 8;
    } else if (!connection->idle() && now - connection->last_result >= kQuiet) {
      const Work* running = connection->running();
      if (running != nullptr && now - running->sent >= kQuiet) connection->turn.reluctance += 4;
    }
  }
}

PoolConnection* ConnectionPool::ChooseConnection(const Work& work, Among among) {
  PoolConnection* best = nullptr;
  int reluctance = std::numeric_limits<int>::max();
  const PoolConnection* too_soon = nullptr;  // the best of those that wait for their millisecond
  bool possible = false;                     // some connection may have it, now or when it has room
  const PoolConnection* owned = nullptr;     // and this one is another table's
  for (const auto& candidate : connections_) {
    PoolConnection& connection = *candidate;
    if (!connection.open() || connection.cancel.pending() || connection.draining()) {
      continue;
    }
    if (connection.lane() || work.attempts.PrefersOther(connection.host, hosts_, loop_->Now()))
      continue;
    if (among == Among::kOwned && connection.session.owner != work.binding) continue;
    if (!MayTake(connection, work)) {
      owned = &connection;
      continue;
    }
    possible = true;
    if (InTrial(connection)) continue;
    // A better one that is full now is waited for.
    if (connection.turn.reluctance > reluctance) continue;
    if (connection.turn.reluctance < reluctance) {
      reluctance = connection.turn.reluctance;
      best = nullptr;
      too_soon = nullptr;
    }
    if (connection.in_flight().size() >= depth_ || WaitsForPooler(connection, work)) continue;
    if (TooSoon(connection)) {
      held_back_ = true;
      if (too_soon == nullptr || connection.in_flight().size() < too_soon->in_flight().size()) {
        too_soon = &connection;
      }
      continue;
    }
    if (best == nullptr || connection.in_flight().size() < best->in_flight().size())
      best = &connection;
  }
  if (owned != nullptr && !possible) session_wanted_ = owned->host;
  // The millisecond is waited for when the other has clearly more to answer: it may be silent from
  // now on and would take all that the others are held back from; and those that are behind many
  // wait longest. When it has little more, a larger batch is worth more.
  if (best != nullptr && too_soon != nullptr &&
      2 * best->in_flight().size() > 3 * too_soon->in_flight().size()) {
    return nullptr;
  }
  return best;
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
