#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that opens and closes connections, and takes hosts out of use.

namespace proxymux::pgsql {
// True when one connection fewer is open now; false when one will be, or cannot be.
bool ConnectionPool::MakeRoom() {
  if (DropSilent(std::nullopt)) return true;
  PoolConnection* least = ConnectionBudget::LeastBusy(View(), std::nullopt);
  if (least == nullptr) return false;
  least->Drain();
  if (!least->idle()) return false;
  CloseConnection(*least);
  return true;
}

bool ConnectionPool::CloseUntested(std::size_t host) {
  PoolConnection* untested = ConnectionBudget::Untested(View(), host);
  if (untested == nullptr) return false;
  CloseConnection(*untested);
  return true;
}

// One connection after the other moves to where it is wanted more; each ends as it runs empty.
// After the sending, so that one which was opened for a single lookup has got it.
void ConnectionPool::Rebalance() {
  // What was sent before may wait for a connection to the very host that is wanted least.
  if (hosts_.size() == 1 || reruns_wait_) return;
  const auto host = hosts_.ChooseForRetirement();
  if (!host.has_value()) return;
  PoolConnection* least = ConnectionBudget::LeastBusy(View(), *host);
  if (least == nullptr) return;
  least->Drain();
  if (least->idle()) ScheduleDispatch();
}

std::size_t ConnectionPool::OverdueConnects() {
  std::size_t overdue = 0;
  for (const auto& connection : connections_) {
    if (!ConnectionBudget::Overdue(View(), *connection)) continue;
    hosts_[connection->host].slow_to_connect = true;
    ++overdue;
  }
  return overdue;
}

void ConnectionPool::OpenConnections() {
  const Time now = loop_->Now();
  std::size_t open = ConnectionBudget::Open(View());
  const std::size_t limit = static_cast<std::size_t>(config_.settings.connections);
  if (host_needed_.has_value() && hosts_[*host_needed_].connecting == 0) {
    if (open >= limit && MakeRoom()) --open;
    if (open < limit) {
      hosts_.PreferUnlessKept(*host_needed_);
      OpenConnection(*host_needed_);
      ++open;
    }
  }
  // After what somebody waits for.
  if (const auto probe = hosts_.ChooseForProbe(now)) {
    // A host that owes answers on every connection there may be is worth one of them.
    if (open >= limit && (DropSilent(*probe) || CloseUntested(*probe))) --open;
    if (open < limit) {
      OpenConnection(*probe);
      ++open;
    }
  }
  const auto session_wanted = placement_.session_wanted().has_value() ? placement_.session_wanted()
                                                                      : lanes_.session_wanted();
  if (session_wanted.has_value()) MakeSessionRoom(*session_wanted, &open);
  const std::size_t wanted = Wanted();
  while (open < wanted) {
    const auto host = hosts_.ChooseForConnection(now, &random_);
    if (!host.has_value()) return;
    OpenConnection(*host);
    ++open;
  }
}

// Somebody waits for a connection to that host that is no other table's: one more, or in the place
// of one that is, of that host if there is one. `*open` counts those that are.
void ConnectionPool::MakeSessionRoom(std::size_t host, std::size_t* open) {
  const ConnectionBudget::SessionRoom room = ConnectionBudget::RoomForSession(View(), host);
  if (room.coming) return;
  if (*open >= Usable()) {
    if (room.victim == nullptr) return;
    if (!room.victim->idle()) {
      room.victim->Drain();  // closed when it is empty
      return;
    }
    CloseConnection(*room.victim);
    --*open;
  }
  const bool up = hosts_[host].health.state() == HostHealth::State::kUp;
  const std::optional<std::size_t> goes_to =
      up ? std::optional(host) : hosts_.ChooseForConnection(loop_->Now(), &random_);
  if (!goes_to.has_value()) return;
  OpenConnection(*goes_to);
  ++*open;
}

void ConnectionPool::OpenConnection(std::size_t host) {
  connections_.push_back(std::make_unique<PoolConnection>(++last_connection_, host, loop_->Now(),
                                                          factory_->NewConnection(host, this)));
  ++hosts_[host].connecting;
  connections_.back()->upstream->Connect();
}

void ConnectionPool::FailHost(PoolHost& host, HostHealth::FailureKind kind,
                              const std::string& reason, Duration took) {
  const HostHealth::State state = host.health.state();
  // Behind a single name there may be a load balancer with another server at the next attempt, as
  // stock has it since 3.10.
  const bool again = hosts_.size() == 1 && kind == HostHealth::FailureKind::kUnreachable &&
                     !host.retried_at_once &&
                     (state == HostHealth::State::kUntried || state == HostHealth::State::kUp);
  host.retried_at_once = true;
  if (!again && host.health.OnFailed(loop_->Now(), kind, reason, &random_, took)) {
    observer_->OnHostDown(config_.name, host);
  }
}

}  // namespace proxymux::pgsql
