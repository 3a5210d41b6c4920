#include <algorithm>
#include <chrono>

#include "pgsql/pool/connection_pool.h"

// The part of ConnectionPool that decides which connections are opened and closed, and to which
// host.

namespace proxymux::pgsql {
namespace {

// Lookups do not wait longer than this for one host's connection before another host gets one.
constexpr Duration kSlowConnect = std::chrono::milliseconds(250);

}  // namespace

// True when one connection fewer is open now; false when one will be, or cannot be.
bool ConnectionPool::MakeRoom() {
  if (DropSilent(std::nullopt)) return true;
  PoolConnection* least = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->open()) continue;
    if (connection->draining()) return false;
    if (least == nullptr || connection->in_flight().size() < least->in_flight().size())
      least = connection.get();
  }
  if (least == nullptr) return false;
  least->Drain();
  if (!least->idle()) return false;
  CloseConnection(*least);
  return true;
}

// Ends an idle connection to a host that is suspect: whether it still works, the test has to show.
bool ConnectionPool::CloseUntested(std::size_t host) {
  if (hosts_[host].health.state() != HostHealth::State::kSuspect) return false;
  for (const auto& connection : connections_) {
    if (!connection->open() || !connection->idle()) continue;
    if (connection->host != host) continue;
    CloseConnection(*connection);
    return true;
  }
  return false;
}

// One connection after the other moves to where it is wanted more; each ends as it runs empty.
// After the sending, so that one which was opened for a single lookup has got it.
void ConnectionPool::Rebalance() {
  // What was sent before may wait for a connection to the very host that is wanted least.
  if (hosts_.size() == 1 || reruns_wait_) return;
  const auto host = hosts_.ChooseForRetirement();
  if (!host.has_value()) return;
  PoolConnection* least = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->open()) continue;
    if (connection->draining()) return;
    if (connection->host != *host) continue;
    if (least == nullptr || connection->in_flight().size() < least->in_flight().size())
      least = connection.get();
  }
  if (least == nullptr) return;
  least->Drain();
  if (least->idle()) ScheduleDispatch();
}

// How many attempts to connect take so long that what waits needs another one.
std::size_t ConnectionPool::OverdueConnects() {
  std::size_t overdue = 0;
  for (const auto& connection : connections_) {
    if (connection->phase() != PoolConnection::Phase::kConnecting) continue;
    if (loop_->Now() - connection->last_used < kSlowConnect) continue;
    hosts_[connection->host].slow_to_connect = true;
    ++overdue;
  }
  return overdue;
}

void ConnectionPool::OpenConnections() {
  const Time now = loop_->Now();
  std::size_t open = 0;
  for (const auto& connection : connections_) {
    if (connection->phase() != PoolConnection::Phase::kClosed) ++open;
  }
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

void ConnectionPool::OpenConnection(std::size_t host) {
  connections_.push_back(std::make_unique<PoolConnection>(++last_connection_, host, loop_->Now(),
                                                          factory_->NewConnection(host, this)));
  ++hosts_[host].connecting;
  connections_.back()->upstream->Connect();
}

}  // namespace proxymux::pgsql
