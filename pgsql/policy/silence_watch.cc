#include "pgsql/policy/silence_watch.h"

#include <algorithm>

#include "pgsql/table/service_time.h"
#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

// It has given a result since, or passed its test.
bool Lives(const PoolView& view, const PoolConnection& connection, Time late) {
  const HostHealth& health = view.HealthOf(connection);
  return health.state() == HostHealth::State::kUp &&
         (view.hosts[connection.host].last_result >= late || health.Trusted(view.now));
}

// It was down, and another connection to it is there.
bool TakesOthers(const PoolView& view, const PoolConnection& connection) {
  if (view.HealthOf(connection).state() != HostHealth::State::kTrial) return false;
  return std::ranges::any_of(view.connections, [&](const auto& other) {
    return other.get() != &connection && other->host == connection.host && other->TakesWork() &&
           !other->stalled();
  });
}

// What the server works for: a statement is prepared for the lookup behind it.
const Work* AskedFor(const PoolConnection& connection) {
  const Work* work = connection.running();
  while (work != nullptr &&
         (work->kind == Work::Kind::kPrepare || work->kind == Work::Kind::kDeallocate)) {
    work = WorkList::Next(work);
  }
  return work;
}

// A question of the pool's own may take long. It is given up while the host answers on others:
// where it is to prove a new connection, after a while; and where the connection may be gone with
// those that the host has lost.
bool QuestionIsLost(const PoolView& view, const PoolConnection& connection, const Work& question,
                    Time late) {
  if (view.hosts[connection.host].last_result < late) return false;
  if (connection.answered.has_value()) return view.PerhapsGone(connection);
  return question.kind == Work::Kind::kStamp &&
         SilenceWatch::ProofIsLate(view, connection, late - *connection.SilentSince());
}

bool MayBeAskedAgain(const Work& work) {
  if (work.kind != Work::Kind::kLookup) return true;
  return !work.binding->service_time.slow() && !work.attempts.was_silent();
}

}  // namespace

std::optional<Time> SilenceWatch::LateFrom(const PoolConnection& connection, Duration stall_limit) {
  const std::optional<Time> since = connection.SilentSince();
  if (!since.has_value() || connection.cancel.pending()) return std::nullopt;
  const Work& running = *connection.running();
  const ServiceTime& service = running.binding->service_time;
  const bool usual = running.kind == Work::Kind::kLookup && service.known();
  return *since + stall_limit + (usual ? service.average() : Duration::zero());
}

bool SilenceWatch::ProofIsLate(const PoolView& view, const PoolConnection& connection,
                               Duration stall_limit) {
  if (!view.Unproven(connection) || connection.idle()) return false;
  const int patience = view.hosts[connection.host].trust.question_patience();
  return view.now - *connection.SilentSince() >= patience * stall_limit;
}

SilenceWatch::HostStep SilenceWatch::AboutHost(const PoolView& view,
                                               const PoolConnection& connection,
                                               Duration stall_limit) {
  if (view.EndsTrial(connection)) {
    // Unless there is nobody else to do it, or it may be done already.
    const bool elsewhere = OthersMayServe(view, connection.host) && connection.ReadsOnly();
    return elsewhere ? HostStep::kGiveUp : HostStep::kNothing;
  }
  // Another connection's answers show that the host lives: it is this statement that takes long.
  const bool lives = view.now - view.hosts[connection.host].last_result < stall_limit;
  return lives ? HostStep::kNothing : HostStep::kTest;
}

bool SilenceWatch::HasBroken(const PoolView& view, const PoolConnection& connection, Time late) {
  const bool lives = Lives(view, connection, late) || TakesOthers(view, connection);
  if (!lives || OthersMayServe(view, connection.host) || !connection.ReadsOnly()) return false;
  // What nobody waits for is cancelled.
  const Work* asked = AskedFor(connection);
  if (asked == nullptr || connection.cancel.pending() || connection.Useless()) return false;
  if (asked->kind != Work::Kind::kLookup && !QuestionIsLost(view, connection, *asked, late)) {
    return false;
  }
  for (const Work* work = connection.running(); work != nullptr; work = WorkList::Next(work)) {
    if (!MayBeAskedAgain(*work)) return false;
  }
  return true;
}

// A cancel request is a connection too, and a frozen host would hold it as well. So it is sent only
// when the host has given a result since, or has passed its test; the test takes a tick at least.
// A host that did neither is put to the test within stall_limit.
SilenceWatch::Step SilenceWatch::AboutUseless(const PoolView& view,
                                              const PoolConnection& connection, bool was_up,
                                              Time late) {
  const HostHealth& health = view.HealthOf(connection);
  if (health.state() != HostHealth::State::kUp) return was_up ? Step::kWait : Step::kDrop;
  return Lives(view, connection, late) ? Step::kCancel : Step::kWait;
}

bool SilenceWatch::OthersMayServe(const PoolView& view, std::size_t host) {
  for (std::size_t other = 0; other < view.hosts.size(); ++other) {
    if (other != host && view.hosts.MayServe(other) &&
        view.hosts[other].health.state() != HostHealth::State::kSuspect) {
      return true;
    }
  }
  return false;
}

}  // namespace proxymux::pgsql
