#include "pgsql/policy/connection_renewal.h"

#include <algorithm>

namespace proxymux::pgsql {

using Phase = PoolConnection::Phase;

std::size_t ConnectionRenewal::Begin(const PoolView& view, std::size_t host) {
  through_.resize(view.hosts.size());
  std::size_t open = 0;
  for (const auto& connection : view.connections) {
    if (connection->host != host || connection->phase() == Phase::kClosed) continue;
    through_[host] = std::max(through_[host], connection->number);
    if (connection->open() && !connection->draining()) ++open;
  }
  return open;
}

bool ConnectionRenewal::Outworn(const PoolConnection& connection) const {
  return !through_.empty() && connection.number <= through_[connection.host];
}

bool ConnectionRenewal::Done(const PoolView& view) const {
  return std::ranges::none_of(view.connections, [this](const auto& connection) {
    return connection->phase() != Phase::kClosed && Outworn(*connection);
  });
}

PoolConnection* ConnectionRenewal::LeastBusy(const PoolView& view, std::size_t host) const {
  PoolConnection* least = nullptr;
  for (const auto& connection : view.connections) {
    if (connection->draining()) return nullptr;
    if (!connection->open() || connection->host != host || !Outworn(*connection)) continue;
    if (least == nullptr || connection->in_flight().size() < least->in_flight().size()) {
      least = connection.get();
    }
  }
  return least;
}

ConnectionRenewal::Step ConnectionRenewal::Next(const PoolView& view, std::size_t limit) {
  if (through_.empty()) return {};
  if (Done(view)) {
    through_.clear();
    return {};
  }
  std::size_t there = 0;
  std::vector<bool> lets_in(through_.size());  // by host: a new one has been made
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kClosed) continue;
    ++there;
    if (connection->draining()) return {};  // one is on its way out
    if (connection->phase() == Phase::kConnecting && !view.Doubtful(*connection)) return {};
    if (connection->open() && !Outworn(*connection)) lets_in[connection->host] = true;
  }
  Step step;
  for (const auto& connection : view.connections) {
    if (!connection->open() || !Outworn(*connection)) continue;
    if (view.HealthOf(*connection).state() != HostHealth::State::kUp) continue;
    if (!lets_in[connection->host] && there < limit) return {.opens = connection->host};
    if (step.ends == nullptr || connection->in_flight().size() < step.ends->in_flight().size()) {
      step.ends = connection.get();
    }
  }
  return step;
}

}  // namespace proxymux::pgsql
