#include "pgsql/pool/connection_opener.h"

#include <algorithm>

#include "pgsql/connection/pool_connection.h"
#include "pgsql/policy/connection_budget.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

void ConnectionOpener::Begin() {
  while (PoolConnection* surplus =
             ConnectionBudget::Surplus(connections_->View(), pool_->limit())) {
    surplus->Drain();
  }
  CloseHopeless();
  overdue_ = CountOverdue();
  pool_->turn.depth = ConnectionBudget::Depth(
      connections_->View(), static_cast<std::size_t>(pool_->settings().pipeline_depth),
      work_->queues().size() + connections_->InFlight(), Wanted());
}

// Attempts that began before the host was back keep no room for themselves.
void ConnectionOpener::CloseHopeless() {
  const PoolView view = connections_->View();
  for (const auto& connection : connections_->all()) {
    if (ConnectionBudget::Hopeless(view, *connection)) connections_->Close(*connection);
  }
}

std::size_t ConnectionOpener::CountOverdue() {
  std::size_t overdue = 0;
  const PoolView view = connections_->View();
  for (const auto& connection : connections_->all()) {
    if (!ConnectionBudget::Overdue(view, *connection)) continue;
    pool_->hosts[connection->host].slow_to_connect = true;
    ++overdue;
  }
  return overdue;
}

// How many connections the work that there is could use.
std::size_t ConnectionOpener::Wanted() const {
  const WorkQueues& queues = work_->queues();
  const std::size_t kept_for_quick =
      queues.lookups(WorkQueues::Queue::kSlow) > 0 && pool_->demand.QuickAbout(queues, pool_->Now())
          ? 1
          : 0;
  const std::size_t lookups = queues.size() + connections_->InFlight() - work_->questions();
  return std::min(
      ConnectionBudget::Usable(pool_->limit(), pool_->hosts),
      lookups + kept_for_quick + overdue_ + ConnectionBudget::OfHostsBehind(connections_->View()));
}

void ConnectionOpener::Rebalance(const HeldUp& held_up) {
  // What was sent before may wait for a connection to the very host that is wanted least.
  if (pool_->hosts.size() == 1 || held_up.any()) return;
  const auto host = pool_->hosts.ChooseForRetirement();
  if (!host.has_value()) return;
  // One that is to be replaced anyway, so that a new one is not.
  PoolConnection* least = renewal_.LeastBusy(connections_->View(), *host);
  if (least == nullptr) least = ConnectionBudget::LeastBusy(connections_->View(), *host);
  if (least == nullptr) return;
  least->Drain();
  if (least->idle()) pool_->ScheduleDispatch();
}

void ConnectionOpener::MakeWay() {
  RenewOne();
  MakeRoomForNewcomer();
}

void ConnectionOpener::RenewOne() {
  const ConnectionRenewal::Step step = renewal_.Next(connections_->View(), pool_->limit());
  if (step.opens.has_value()) return connections_->Open(*step.opens);
  if (step.ends == nullptr) return;
  step.ends->Drain();
  if (step.ends->idle()) pool_->ScheduleDispatch();
}

// Rebalance() moves connections to hosts that are up; of this one that may not be known.
void ConnectionOpener::MakeRoomForNewcomer() {
  if (newcomers_.empty()) return;
  const HostSet& hosts = pool_->hosts;
  const std::size_t index = newcomers_.front();
  const PoolHost& host = hosts[index];
  const PoolView view = connections_->View();
  // One is kept free for a host that is down: for this one.
  const std::size_t places = host.health.state() == HostHealth::State::kDown
                                 ? pool_->limit()
                                 : ConnectionBudget::Usable(pool_->limit(), hosts);
  const bool has_room = ConnectionBudget::Open(view) < places;
  if (host.connecting + host.ready > 0 || hosts.GivesWay(index) || has_room ||
      pool_->limit() == 1) {
    newcomers_.pop_front();
    if (!newcomers_.empty()) pool_->ScheduleDispatch();
    return;
  }
  PoolConnection* least = ConnectionBudget::LeastBusy(view, std::nullopt);
  if (least == nullptr) return;
  least->Drain();
  if (least->idle()) pool_->ScheduleDispatch();
}

void ConnectionOpener::Open(const HeldUp& held_up, std::optional<std::size_t> session_wanted) {
  HostSet& hosts = pool_->hosts;
  const std::size_t limit = pool_->limit();
  std::size_t open = ConnectionBudget::Open(connections_->View());
  const std::optional<std::size_t> needed = held_up.host_needed();
  if (needed.has_value() && hosts[*needed].connecting == 0 &&
      hosts[*needed].health.MayConnect(pool_->Now())) {
    if (open >= limit && MakeRoom()) --open;
    if (open < limit) {
      hosts.PreferUnlessKept(*needed);
      connections_->Open(*needed);
      ++open;
    }
  }
  // After what somebody waits for.
  if (const auto probe = hosts.ChooseForProbe(pool_->Now())) {
    // A host that owes answers on every connection there may be is worth one of them.
    if (open >= limit && (DropSilent(*probe) || CloseUntested(*probe))) --open;
    if (open < limit) {
      connections_->Open(*probe);
      ++open;
    }
  }
  OpenToUnseen(&open);
  OpenBesideHanging(&open);
  OpenBesideSilent(&open);
  PutOtherInPlaceOfOneBehind(open);
  if (session_wanted.has_value()) MakeSessionRoom(*session_wanted, &open);
  const std::size_t wanted = Wanted();
  while (open < wanted) {
    const auto host = hosts.ChooseForConnection(pool_->Now(), &pool_->random);
    if (!host.has_value()) return;
    connections_->Open(*host);
    ++open;
  }
}

// While lookups come. Where there may be one connection only it is left to them.
void ConnectionOpener::OpenToUnseen(std::size_t* open) {
  const std::size_t limit = pool_->limit();
  if (!pool_->lag_rule.sees_all() || limit == 1 || work_->queues().empty()) return;
  const RealTime now = pool_->loop->RealNow();
  for (std::size_t index = 0; index < pool_->hosts.size(); ++index) {
    const PoolHost& host = pool_->hosts[index];
    if (!pool_->lag_rule.Unseen(host, now)) continue;
    if (host.health.state() == HostHealth::State::kSuspect) continue;
    if (!host.health.MayConnect(pool_->Now())) continue;
    if (*open >= limit) {
      if (!MakeRoom()) return;
      --*open;
    }
    connections_->Open(index);
    ++*open;
  }
}

void ConnectionOpener::OpenBesideHanging(std::size_t* open) {
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) {
    const ConnectionBudget::AnotherAttempt another =
        ConnectionBudget::BesideHanging(connections_->View(), host, pool_->limit());
    if (!another.due) continue;
    std::size_t next = host;
    if (another.in_place_of != nullptr) {
      // It is another host's turn, if one has been waiting for that.
      next = pool_->hosts.ChooseForProbe(pool_->Now()).value_or(host);
      pool_->hosts[host].health.OnGivenUp(pool_->Now());
      connections_->Close(*another.in_place_of);
      --*open;
    }
    connections_->Open(next);
    ++*open;
  }
}

void ConnectionOpener::OpenBesideSilent(std::size_t* open) {
  for (std::size_t host = 0; host < pool_->hosts.size(); ++host) {
    const ConnectionBudget::AnotherAttempt another = ConnectionBudget::BesideSilent(
        connections_->View(), host, pool_->limit(), pool_->settings().stall_limit);
    if (!another.due) continue;
    if (another.in_place_of != nullptr) {
      pool_->hosts[host].trust.OnQuestionGivenUp();
      connections_->Drop(*another.in_place_of, ConnectionSet::kSilent,
                         ConnectionSet::Loss::kSessionSilent);
      --*open;
    }
    connections_->Open(host);
    ++*open;
  }
}

// All connections that there may be are those of hosts that are too far behind.
void ConnectionOpener::PutOtherInPlaceOfOneBehind(std::size_t open) {
  if (open < pool_->limit() || work_->queues().empty()) return;
  PoolConnection* const behind = ConnectionBudget::OfOneBehind(connections_->View());
  const auto other = ConnectionBudget::HostNotBehind(pool_->hosts, pool_->Now());
  if (behind == nullptr || !other.has_value()) return;
  connections_->Close(*behind);
  connections_->Open(*other);
}

// True when one connection fewer is open now; false when one will be, or cannot be.
bool ConnectionOpener::MakeRoom() {
  if (DropSilent(std::nullopt)) return true;
  PoolConnection* least = ConnectionBudget::LeastBusy(connections_->View(), std::nullopt);
  if (least == nullptr) return false;
  least->Drain();
  if (!least->idle()) return false;
  connections_->Close(*least);
  return true;
}

// For the sake of a better one; only one that has nothing but reads. Of any host, or of one.
bool ConnectionOpener::DropSilent(std::optional<std::size_t> host) {
  PoolConnection* silent = ConnectionBudget::Silent(connections_->View(), host);
  if (silent == nullptr) return false;
  connections_->Drop(*silent, ConnectionSet::kSilent, ConnectionSet::Loss::kHostSilent);
  return true;
}

bool ConnectionOpener::CloseUntested(std::size_t host) {
  PoolConnection* untested = ConnectionBudget::Untested(connections_->View(), host);
  if (untested == nullptr) return false;
  connections_->Close(*untested);
  return true;
}

// Somebody waits for a connection to that host that is no other table's: one more, or in the place
// of one that is, of that host if there is one. `*open` counts those that are.
void ConnectionOpener::MakeSessionRoom(std::size_t host, std::size_t* open) {
  const ConnectionBudget::SessionRoom room =
      ConnectionBudget::RoomForSession(connections_->View(), host);
  if (room.coming) return;
  const HostSet& hosts = pool_->hosts;
  const bool stays = hosts[host].health.state() == HostHealth::State::kUp && !hosts.GivesWay(host);
  const std::optional<std::size_t> goes_to =
      stays ? std::optional(host) : pool_->hosts.ChooseForConnection(pool_->Now(), &pool_->random);
  if (!goes_to.has_value()) return;
  if (*open >= ConnectionBudget::Usable(pool_->limit(), pool_->hosts)) {
    // None that works is given up for one that cannot be made.
    if (room.victim == nullptr || hosts[*goes_to].slow_to_connect) return;
    if (!room.victim->idle()) {
      room.victim->Drain();  // closed when it is empty
      return;
    }
    connections_->Close(*room.victim);
    --*open;
  }
  connections_->Open(*goes_to);
  ++*open;
}

void ConnectionOpener::CloseIdle() {
  const PoolView view = connections_->View();
  std::size_t open = connections_->all().size();
  for (const auto& connection : connections_->all()) {
    if (!connection->open() || !connection->idle()) continue;
    if (!ConnectionBudget::IdleForLong(view, *connection, pool_->config.idle_interval) &&
        open <= pool_->limit()) {
      continue;
    }
    connections_->Close(*connection);
    --open;
  }
}

}  // namespace proxymux::pgsql
