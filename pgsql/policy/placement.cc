#include "pgsql/policy/placement.h"

#include <chrono>
#include <limits>
#include <tuple>

namespace proxymux::pgsql {
namespace {

// Between two batches on a connection that is busy.
constexpr Duration kBatchInterval = std::chrono::milliseconds(1);

// Added to the reluctance of its host, which is less than each.
constexpr int kOwesAnswers = 4;
constexpr int kStalled = 8;
// For a lookup whose connection was given up for being silent. A second one is not given up for its
// sake, so it prefers a connection that has answered since the host began to lose connections.
constexpr int kUncertain = 4;

bool TooSoon(const PoolView& view, const PoolConnection& connection) {
  return !connection.idle() && connection.sent_in != view.turn &&
         view.now - connection.last_sent < kBatchInterval;
}

int Reluctance(const PoolView& view, const PoolConnection& connection, const Work& work) {
  const bool uncertain =
      work.attempts.was_silent() &&
      view.hosts[connection.host].trust.PerhapsGone(connection.answered, view.now);
  return connection.turn.reluctance + (uncertain ? kUncertain : 0);
}

std::size_t Load(const PoolConnection& connection) { return connection.in_flight().size(); }

bool Owes(const PoolConnection& connection, Work::Kind kind) {
  const Work* work = connection.running();
  while (work != nullptr && work->kind != kind) work = WorkList::Next(work);
  return work != nullptr;
}

}  // namespace

// Whoever is sent to a server that does not answer has to wait for stall_limit; so those that keep
// quiet come last.
void Placement::Begin(const PoolView& view) {
  held_back_ = false;
  session_wanted_.reset();
  for (const auto& connection : view.connections) {
    // The first statement on a new connection ends a trial.
    int reluctance = view.EndsTrial(*connection) ? -1 : view.hosts.Reluctance(connection->host);
    if (connection->stalled()) {
      reluctance += kStalled;
    } else if (view.Quiet(*connection)) {
      reluctance += kOwesAnswers;
    }
    connection->turn.reluctance = reluctance;
  }
}

PoolConnection* Placement::Choose(const PoolView& view, const SessionRules& rules, const Work& work,
                                  Among among) {
  PoolConnection* best = nullptr;
  int reluctance = std::numeric_limits<int>::max();
  const PoolConnection* too_soon = nullptr;  // the best of those that wait for their millisecond
  bool possible = false;                     // some connection may have it, now or when it has room
  const PoolConnection* owned = nullptr;     // and this one is another table's
  for (const auto& candidate : view.connections) {
    PoolConnection& connection = *candidate;
    if (!connection.TakesWork() || connection.lane() || view.Barred(connection)) continue;
    if (view.PrefersOther(work, connection)) continue;
    if (among == Among::kOwned && connection.session.owner != work.binding) continue;
    if (!rules.MayTake(view, connection, work)) {
      owned = &connection;
      continue;
    }
    possible = true;
    if (view.InTrial(connection) || view.Unproven(connection)) continue;
    // A better one that is full now is waited for.
    const int its_reluctance = Reluctance(view, connection, work);
    if (its_reluctance > reluctance) continue;
    if (its_reluctance < reluctance) {
      reluctance = its_reluctance;
      best = nullptr;
      too_soon = nullptr;
    }
    if (Load(connection) >= view.depth || view.PerhapsGone(connection) || connection.RunsSimple() ||
        rules.WaitsForPooler(view, connection, work)) {
      continue;
    }
    if (TooSoon(view, connection)) {
      held_back_ = true;
      if (too_soon == nullptr || Load(connection) < Load(*too_soon)) too_soon = &connection;
    } else if (best == nullptr || Load(connection) < Load(*best)) {
      best = &connection;
    }
  }
  if (owned != nullptr && !possible) session_wanted_ = owned->host;
  // The millisecond is waited for when the other has clearly more to answer: it may be silent from
  // now on and would take all that the others are held back from; and those that are behind many
  // wait longest. When it has little more, a larger batch is worth more.
  if (best != nullptr && too_soon != nullptr && 2 * Load(*best) > 3 * Load(*too_soon)) {
    return nullptr;
  }
  return best;
}

PoolConnection* Placement::ChooseForStamp(const PoolView& view, std::size_t host) {
  return ChooseForQuestion(view, host, Work::Kind::kStamp);
}

PoolConnection* Placement::ChooseForLag(const PoolView& view, std::size_t host) {
  return ChooseForQuestion(view, host, Work::Kind::kLag);
}

PoolConnection* Placement::ChooseForQuestion(const PoolView& view, std::size_t host,
                                             Work::Kind question) {
  PoolConnection* best = nullptr;
  // One that may be lost with the question is asked where no other one can be.
  const auto rank = [&view](const PoolConnection& connection) {
    return std::tuple(view.Unproven(connection), connection.turn.reluctance, Load(connection));
  };
  for (const auto& candidate : view.connections) {
    PoolConnection& connection = *candidate;
    if (connection.host != host || !connection.TakesWork() || connection.RunsSimple() ||
        connection.stalled() || view.InTrial(connection) || view.PerhapsGone(connection)) {
      continue;
    }
    if (connection.session.changed && question != Work::Kind::kLag) continue;
    // It would wait for a slow statement, and keep the lane from those behind it.
    if (connection.slow_in_flight() > 0) continue;
    if (connection.upstream->Pooled() &&
        (connection.upstream->BatchOpen() || !connection.upstream->AllAnswered())) {
      continue;
    }
    // A server that is silent is not given more and more of them.
    if (Owes(connection, question)) continue;
    if (best == nullptr || rank(connection) < rank(*best)) best = &connection;
  }
  return best;
}

PoolConnection* Placement::ChooseForProof(const PoolView& view, std::size_t host) {
  if (!view.hosts.AsksFirst(host)) return nullptr;
  for (const auto& connection : view.connections) {
    if (connection->host == host && view.Unproven(*connection) && connection->idle() &&
        connection->TakesWork()) {
      return connection.get();
    }
  }
  return nullptr;
}

}  // namespace proxymux::pgsql
