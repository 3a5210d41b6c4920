#include "pgsql/connection/pool_connection.h"

#include <algorithm>
#include <cassert>

#include "pgsql/work/twin_lookups.h"

namespace proxymux::pgsql {

bool PoolConnection::MayMove(Phase from, Phase to) {
  switch (from) {
    case Phase::kConnecting:
      return to == Phase::kShared || to == Phase::kClosed;
    case Phase::kShared:
      return to == Phase::kEmptying || to == Phase::kDraining || to == Phase::kOutdated ||
             to == Phase::kClosed;
    case Phase::kEmptying:
      return to == Phase::kShared || to == Phase::kLane || to == Phase::kDraining ||
             to == Phase::kOutdated || to == Phase::kClosed;
    case Phase::kLane:
      return to == Phase::kShared || to == Phase::kDraining || to == Phase::kOutdated ||
             to == Phase::kClosed;
    case Phase::kDraining:
      return to == Phase::kOutdated || to == Phase::kClosed;
    case Phase::kOutdated:
      return to == Phase::kClosed;
    case Phase::kClosed:
      return false;
  }
  return false;
}

void PoolConnection::SetPhase(Phase phase) {
  assert(MayMove(phase_, phase));
  phase_ = phase;
}

void PoolConnection::Drain() {
  if (open() && !draining()) SetPhase(Phase::kDraining);
}

void PoolConnection::Outdate() {
  if (open() && phase_ != Phase::kOutdated) SetPhase(Phase::kOutdated);
}

bool PoolConnection::open() const {
  return phase_ != Phase::kConnecting && phase_ != Phase::kClosed;
}

bool PoolConnection::draining() const {
  return phase_ == Phase::kDraining || phase_ == Phase::kOutdated;
}

bool PoolConnection::lane() const {
  switch (phase_) {
    case Phase::kEmptying:
    case Phase::kLane:
      return true;
    case Phase::kDraining:
    case Phase::kOutdated:
      return slow_in_flight_ > 0;
    case Phase::kConnecting:
    case Phase::kShared:
    case Phase::kClosed:
      return false;
  }
  return false;
}

void PoolConnection::OnSent(Work* work, std::uint64_t turn_number) {
  if (work->in_lane) ++slow_in_flight_;
  last_sent = work->sent;
  sent_in = turn_number;
  in_flight_.PushBack(work);
}

void PoolConnection::OnBack(Work* work) {
  assert(WorkList::ListOf(work) == &in_flight_);
  if (work->in_lane) --slow_in_flight_;
  work->in_lane = false;
  WorkList::Remove(work);
}

std::optional<Time> PoolConnection::SilentSince() const {
  if (!open() || idle()) return std::nullopt;
  return std::max(running()->sent, last_result);
}

void PoolConnection::OnAnswered(Time now) {
  answered = now;
  stalled_ = false;
}

bool PoolConnection::ReadsOnly() const {
  for (const Work* work = in_flight_.front(); work != nullptr; work = WorkList::Next(work)) {
    const Work::Needs& needs = work->needs;
    if (work->kind == Work::Kind::kLookup && (needs.script || needs.may_write)) return false;
  }
  return true;
}

bool PoolConnection::Useless() const {
  bool has_lookups = false;
  for (const Work* work = in_flight_.front(); work != nullptr; work = WorkList::Next(work)) {
    if (TwinLookups::Awaited(*work) || work->needs.may_write) return false;
    has_lookups = has_lookups || work->kind == Work::Kind::kLookup;
  }
  return has_lookups;
}

}  // namespace proxymux::pgsql
