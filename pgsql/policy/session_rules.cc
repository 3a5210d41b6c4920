#include "pgsql/policy/session_rules.h"

namespace proxymux::pgsql {

bool SessionRules::Known(const TableBinding& binding) const {
  switch (binding.write_class) {
    case WriteClass::kUnknown:
    case WriteClass::kAsking:
      return false;
    case WriteClass::kReads:
    case WriteClass::kMayWrite:
      return binding.catalogue == 0 || binding.catalogue == catalogues_;
  }
  return false;
}

Line SessionRules::LineOf(const TableBinding& binding) const {
  if (binding.NeedsLane()) {
    if (binding.in_lanes > 0) return Line::kSlowMore;
    return binding.service_time.known() ? Line::kSlow : Line::kUnmeasured;
  }
  if (!Known(binding)) return Line::kLoan;
  return binding.session == SessionUse::kOwnSession ? Line::kOwn : Line::kShared;
}

SessionUse SessionRules::UseOf(const PoolView& view, const Work& work, std::size_t host) const {
  if (work.kind != Work::Kind::kLookup) return SessionUse::kShared;
  const TableBinding& binding = *work.binding;
  if (!Known(binding)) return SessionUse::kOwnSession;
  if (binding.catalogue != 0 && !view.hosts[host].catalogue.Fresh(view.now)) {
    return SessionUse::kOwnSession;
  }
  return binding.session;
}

bool SessionRules::MayTake(const PoolView& view, const PoolConnection& connection,
                           const Work& work) const {
  // A question to the catalogue ends a loan: it must not wait for one.
  if (work.kind != Work::Kind::kLookup) return !connection.session.changed;
  if (connection.session.owner != nullptr) return connection.session.owner == work.binding;
  if (UseOf(view, work, connection.host) != SessionUse::kOwnSession) return true;
  // Where it is not known the connection is only lent.
  return !Known(*work.binding) || work.binding->session != SessionUse::kOwnSession ||
         MayOwn(view, work);
}

// Whether its table may have one more connection for itself. One stays for all others. What may run
// for long does not wait behind its like.
bool SessionRules::MayOwn(const PoolView& view, const Work& work) const {
  const std::size_t room = work.binding->NeedsLane() ? 1 : view.depth;
  std::size_t shared = 0;
  bool instead = false;  // of one of its own that may be gone, the next one is room
  for (const auto& connection : view.connections) {
    if (!connection->open() || connection->draining() || view.Barred(*connection)) continue;
    if (connection->session.owner == nullptr) {
      ++shared;
    } else if (connection->session.owner == work.binding && connection->in_flight().size() < room &&
               !connection->stalled() && !view.PrefersOther(work, *connection)) {
      if (!view.PerhapsGone(*connection) || !view.Quiet(*connection) || instead) return false;
      instead = true;
    }
  }
  return shared > 1 || view.usable == 1 || !view.sharers_about;
}

bool SessionRules::WaitsForPooler(const PoolView& view, const PoolConnection& connection,
                                  const Work& work) const {
  if (!connection.upstream->Pooled()) return false;
  if (connection.upstream->BatchOpen()) {  // some want a batch of their own
    return work.kind != Work::Kind::kLookup || work.needs.may_write ||
           UseOf(view, work, connection.host) != SessionUse::kShared;
  }
  return !connection.upstream->AllAnswered();
}

void SessionRules::Take(const PoolView& view, PoolConnection* connection, Work* work) const {
  const SessionUse use = UseOf(view, *work, connection->host);
  const bool known = Known(*work->binding);
  // The catalogue may have changed since it was submitted.
  work->needs.may_write = !known || work->binding->write_class != WriteClass::kReads;
  work->needs.alone = work->needs.may_write || use != SessionUse::kShared;
  if (use != SessionUse::kOwnSession) return;
  PoolConnection::Session& session = connection->session;
  if (session.owner == nullptr) session.owned_since = view.now;
  session.owner = work->binding;
  session.changed = session.changed || (known && work->binding->session == SessionUse::kOwnSession);
}

void SessionRules::Release(const PoolView& view) const {
  for (const auto& connection : view.connections) {
    PoolConnection::Session& session = connection->session;
    const TableBinding* owner = session.owner.get();
    if (owner == nullptr || session.changed || !Known(*owner)) continue;
    if (owner->session == SessionUse::kOwnSession) {
      session.changed = true;
    } else if (owner->catalogue == 0 || view.hosts[connection->host].catalogue.Fresh(view.now)) {
      session.owner.reset();
    }
  }
}

}  // namespace proxymux::pgsql
