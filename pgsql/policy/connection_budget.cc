#include "pgsql/policy/connection_budget.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace proxymux::pgsql {
namespace {

using Phase = PoolConnection::Phase;

// Lookups do not wait longer than this for one host's connection before another host gets one.
constexpr Duration kSlowConnect = std::chrono::milliseconds(250);

// What is asked about a statement is answered sooner; after that its connection may be replaced.
constexpr Duration kDoubt = std::chrono::milliseconds(250);

// Between two attempts to connect to a host that lookups wait for, if there is room for as many as
// hang; and after how many times the usual time, and not before that time, one that hangs is given
// up for a new one.
constexpr Duration kNextAttempt = std::chrono::milliseconds(50);
constexpr int kTimesUsual = 8;
constexpr Duration kShortest = std::chrono::milliseconds(400);

bool IsOf(const PoolConnection& connection, std::optional<std::size_t> host) {
  return !host.has_value() || connection.host == *host;
}

}  // namespace

std::size_t ConnectionBudget::Usable(std::size_t limit, const HostSet& hosts) {
  return hosts.AnyDown() && limit > 1 ? limit - 1 : limit;
}

std::size_t ConnectionBudget::Open(const PoolView& view) {
  return static_cast<std::size_t>(std::ranges::count_if(
      view.connections,
      [](const auto& connection) { return connection->phase() != Phase::kClosed; }));
}

std::size_t ConnectionBudget::Barred(const PoolView& view) {
  return static_cast<std::size_t>(
      std::ranges::count_if(view.connections, [&](const auto& connection) {
        return connection->phase() != Phase::kClosed && view.hosts[connection->host].TooFarBehind();
      }));
}

std::size_t ConnectionBudget::Depth(const PoolView& view, std::size_t most, std::size_t outstanding,
                                    std::size_t wanted) {
  std::size_t connecting = 0;
  std::size_t open = 0;
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kClosed) continue;
    if (connection->phase() == Phase::kConnecting) {
      if (view.Doubtful(*connection)) continue;
      ++connecting;
    }
    ++open;
  }
  const bool more = open < wanted && view.hosts.MayConnect(view.now);
  if (connecting == 0 && !more) return most;
  const std::size_t expected = more ? wanted : open;
  return std::min(most, std::max<std::size_t>(1, (outstanding + expected - 1) / expected));
}

bool ConnectionBudget::Overdue(const PoolView& view, const PoolConnection& connection) {
  return connection.phase() == Phase::kConnecting &&
         view.now - connection.last_used >= kSlowConnect;
}

PoolConnection* ConnectionBudget::Surplus(const PoolView& view, std::size_t limit) {
  std::size_t staying = 0;
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kClosed || connection->draining()) continue;
    if (++staying > limit && connection->open()) return connection.get();
  }
  return nullptr;
}

PoolConnection* ConnectionBudget::LeastBusy(const PoolView& view,
                                            std::optional<std::size_t> of_host) {
  PoolConnection* least = nullptr;
  for (const auto& connection : view.connections) {
    if (!connection->open()) continue;
    if (connection->draining()) return nullptr;
    if (IsOf(*connection, of_host) &&
        (least == nullptr || connection->in_flight().size() < least->in_flight().size())) {
      least = connection.get();
    }
  }
  return least;
}

PoolConnection* ConnectionBudget::OfOneBehind(const PoolView& view) {
  PoolConnection* idle = nullptr;
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kClosed || view.Doubtful(*connection)) continue;
    if (!view.hosts[connection->host].TooFarBehind()) return nullptr;
    if (connection->open() && connection->idle()) idle = connection.get();
  }
  return idle;
}

PoolConnection* ConnectionBudget::Untested(const PoolView& view, std::size_t host) {
  if (view.hosts[host].health.state() != HostHealth::State::kSuspect) return nullptr;
  for (const auto& connection : view.connections) {
    if (connection->open() && connection->idle() && connection->host == host) {
      return connection.get();
    }
  }
  return nullptr;
}

PoolConnection* ConnectionBudget::Silent(const PoolView& view, std::optional<std::size_t> of_host) {
  for (const auto& connection : view.connections) {
    if (connection->open() && connection->stalled && IsOf(*connection, of_host) &&
        connection->ReadsOnly()) {
      return connection.get();
    }
  }
  return nullptr;
}

ConnectionBudget::AnotherAttempt ConnectionBudget::BesideHanging(const PoolView& view,
                                                                 std::size_t host,
                                                                 std::size_t limit) {
  if (!view.hosts.outage().waiting() || !view.Doubtful(host)) return {};
  std::size_t hanging = 0;
  PoolConnection* oldest = nullptr;
  PoolConnection* latest = nullptr;
  for (const auto& connection : view.connections) {
    if (connection->phase() != Phase::kConnecting || connection->host != host) continue;
    ++hanging;
    if (oldest == nullptr || connection->last_used < oldest->last_used) oldest = connection.get();
    if (latest == nullptr || connection->last_used > latest->last_used) latest = connection.get();
  }
  if (oldest == nullptr) return {};
  // Hosts that nobody connects to are about to be tried.
  std::size_t others = Open(view) - hanging;
  for (std::size_t other = 0; other < view.hosts.size(); ++other) {
    if (view.hosts[other].connecting == 0 && view.Doubtful(other)) ++others;
  }
  const std::size_t room = limit - std::min(limit, others);
  // Of a host that never could be connected to nobody knows how long that takes.
  const std::optional<Duration> usual = view.hosts[host].connect_time;
  const Duration patience =
      usual.has_value() ? std::max(kShortest, kTimesUsual * *usual) : Duration::max();
  // Spread over the time after which the oldest makes room, so that there is one soon after the
  // host is back, whenever that is.
  const bool spread = usual.has_value() && room > 0;
  const Duration interval =
      spread ? std::max(kNextAttempt, patience / static_cast<int>(room)) : kNextAttempt;
  if (view.now - latest->last_used < interval) return {};
  if (hanging < room) return {.due = true};
  const bool hopeless = view.now - oldest->last_used >= patience;
  return hopeless ? AnotherAttempt{.due = true, .in_place_of = oldest} : AnotherAttempt{};
}

ConnectionBudget::SessionRoom ConnectionBudget::RoomForSession(const PoolView& view,
                                                               std::size_t host) {
  SessionRoom room;
  // Those that come first in this order are wanted least.
  const auto rank = [host](const PoolConnection& connection) {
    return std::tuple(connection.host != host,
                      connection.slow_in_flight() > 0 || connection.stalled,
                      connection.in_flight().size(), connection.last_used);
  };
  for (const auto& candidate : view.connections) {
    PoolConnection& connection = *candidate;
    const bool takes_long = connection.slow_in_flight() > 0 || connection.stalled;
    if (connection.phase() == Phase::kConnecting) {
      room.coming = room.coming ||
                    (!view.Doubtful(connection) && !view.hosts[connection.host].slow_to_connect);
    }
    if (!connection.open() || connection.session.owner == nullptr) continue;
    if (connection.draining()) {
      room.coming = room.coming || !takes_long;
      continue;
    }
    // What is lent while an answer is waited for is soon given back.
    if (!connection.session.changed && view.now - connection.session.owned_since < kDoubt) {
      continue;
    }
    if (room.victim == nullptr || rank(connection) < rank(*room.victim)) {
      room.victim = &connection;
    }
  }
  return room;
}

}  // namespace proxymux::pgsql
