#include "pgsql/policy/connection_budget.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <vector>

#include "pgsql/policy/silence_watch.h"

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

// A connection to a host that is apart is replaced that often.
constexpr Duration kRenewed = std::chrono::seconds(30);

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

std::size_t ConnectionBudget::OfHostsBehind(const PoolView& view) {
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
      if (view.Doubtful(*connection) || Overdue(view, *connection)) continue;
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

bool ConnectionBudget::Overtaken(const PoolView& view, const PoolConnection& attempt) {
  return std::ranges::any_of(view.connections, [&](const auto& other) {
    return other->open() && other->host == attempt.host && other->number > attempt.number &&
           other->answered.has_value();
  });
}

bool ConnectionBudget::Hopeless(const PoolView& view, const PoolConnection& attempt) {
  if (attempt.phase() != Phase::kConnecting) return false;
  const std::optional<Duration> usual = view.hosts[attempt.host].connect_time.usual();
  if (usual.has_value() &&
      view.now - attempt.last_used >= std::max(kShortest, kTimesUsual * *usual) &&
      Overtaken(view, attempt)) {
    return true;
  }
  // Where others serve, or nobody waits any more, one attempt is enough to find out.
  return !view.hosts.outage().waiting() && view.Doubtful(attempt) && Overdue(view, attempt) &&
         std::ranges::any_of(view.connections, [&](const auto& other) {
           return other->phase() == Phase::kConnecting && other->host == attempt.host &&
                  other->number < attempt.number;
         });
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

std::optional<std::size_t> ConnectionBudget::HostNotBehind(const HostSet& hosts, Time now) {
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    const PoolHost& host = hosts[index];
    if (!host.TooFarBehind() && host.connecting + host.ready == 0 &&
        host.health.state() != HostHealth::State::kSuspect && host.health.MayConnect(now)) {
      return index;
    }
  }
  return std::nullopt;
}

bool ConnectionBudget::IdleForLong(const PoolView& view, const PoolConnection& connection,
                                   Duration idle_interval) {
  const PoolHost& host = view.hosts[connection.host];
  if (host.TooFarBehind() && host.lag.Apart() && view.now - connection.opened >= kRenewed) {
    return true;
  }
  return view.now - connection.last_used >= idle_interval;
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
    if (connection->open() && connection->stalled() && IsOf(*connection, of_host) &&
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
  if (!view.hosts[host].health.MayConnect(view.now)) return {};  // a later one has just failed
  // In the order in which they began, as all connections are.
  std::vector<PoolConnection*> hanging;
  for (const auto& connection : view.connections) {
    if (connection->phase() == Phase::kConnecting && connection->host == host) {
      hanging.push_back(connection.get());
    }
  }
  if (hanging.empty()) return {};
  // Hosts that nobody connects to are about to be tried.
  std::size_t others = Open(view) - hanging.size();
  int taking_turns = 1;
  for (std::size_t other = 0; other < view.hosts.size(); ++other) {
    if (view.hosts[other].connecting > 0 || !view.Doubtful(other)) continue;
    if (!view.hosts[other].health.MayConnect(view.now + kNextAttempt)) continue;
    ++others;
    ++taking_turns;
  }
  const std::size_t room = limit - std::min(limit, others);
  // The way to the host may be slower than it was. So the oldest attempt is left alone, or, where
  // there is room for one only, each is waited for longer than the one before.
  const bool one_stays = room > 1;
  // Of a host that never could be connected to nobody knows how long that takes.
  const std::optional<Duration> usual = view.hosts[host].connect_time.usual();
  Duration patience =
      usual.has_value() ? std::max(kShortest, kTimesUsual * *usual) : Duration::max();
  if (!one_stays) {
    patience = std::max(patience, (view.now - view.hosts.outage().begun()) / (2 * taking_turns));
  }
  // Spread over the time after which one makes room, so that there is one soon after the host is
  // back, whenever that is; and the one that stays takes nothing from how often that is.
  const Duration share = patience / static_cast<int>(std::max<std::size_t>(1, room));
  const Duration interval = usual.has_value() ? std::max(kNextAttempt, share) : kNextAttempt;
  if (view.now - hanging.back()->last_used < interval) return {};
  if (hanging.size() < room) return {.due = true};
  PoolConnection* const next = hanging[one_stays ? 1 : 0];
  const bool hopeless = view.now - next->last_used >= (one_stays ? patience - share : patience);
  return hopeless ? AnotherAttempt{.due = true, .in_place_of = next} : AnotherAttempt{};
}

ConnectionBudget::AnotherAttempt ConnectionBudget::BesideSilent(const PoolView& view,
                                                                std::size_t host, std::size_t limit,
                                                                Duration stall_limit) {
  const HostHealth& health = view.hosts[host].health;
  if (health.disabled() || health.state() != HostHealth::State::kTrial) return {};
  PoolConnection* oldest = nullptr;
  for (const auto& connection : view.connections) {
    if (connection->host != host || connection->phase() == Phase::kClosed) continue;
    if (!connection->stalled() || !view.Unproven(*connection)) return {};
    if (oldest == nullptr) oldest = connection.get();
  }
  if (oldest == nullptr) return {};
  if (Open(view) < limit) return {.due = true};
  const bool late = SilenceWatch::ProofIsLate(view, *oldest, stall_limit);
  return late ? AnotherAttempt{.due = true, .in_place_of = oldest} : AnotherAttempt{};
}

ConnectionBudget::SessionRoom ConnectionBudget::RoomForSession(const PoolView& view,
                                                               std::size_t host) {
  SessionRoom room;
  // Those that come first in this order are wanted least.
  const auto rank = [host](const PoolConnection& connection) {
    return std::tuple(connection.host != host,
                      connection.slow_in_flight() > 0 || connection.stalled(),
                      connection.in_flight().size(), connection.last_used);
  };
  for (const auto& candidate : view.connections) {
    PoolConnection& connection = *candidate;
    const bool takes_long = connection.slow_in_flight() > 0 || connection.stalled();
    if (connection.phase() == Phase::kConnecting) {
      room.coming = room.coming || (!view.Doubtful(connection) && !Overdue(view, connection));
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
