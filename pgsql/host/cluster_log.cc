#include "pgsql/host/cluster_log.h"

#include <algorithm>

namespace proxymux::pgsql {

void ClusterLog::Note(const ReplicaState& state, RealTime asked) {
  if (state.standby) {
    if (state.receiving) received_.Add(state.received, asked);
    return;
  }
  if (Replaced(state, asked)) return;
  const bool older = !primary_.empty() && asked <= primary_.newest_seen();
  // Behind a branch, or a restore, everything is another log.
  if (state.timeline != timeline_ || (!older && state.position < primary_.newest())) {
    primary_ = {};
    received_ = {};
    timeline_ = state.timeline;
  }
  if (!received_.empty() && received_.newest() > state.position &&
      received_.newest_seen() < asked) {
    received_ = {};  // from somebody else
  }
  heard_ = std::max(heard_, asked);
  primary_.Add(state.position, asked);
}

bool ClusterLog::Replaced(const ReplicaState& state, RealTime asked) const {
  return !state.standby && state.timeline < timeline_ && asked - heard_ < kForgotten;
}

std::optional<bool> ClusterLog::Diverged(const ReplicaState& state, RealTime answered) const {
  if (!state.standby || primary_.empty() || primary_.newest_seen() <= answered) return std::nullopt;
  return state.position > primary_.newest();
}

bool ClusterLog::EndKnown(RealTime asked) const {
  return !primary_.empty() && asked - primary_.newest_seen() <= kFresh;
}

bool ClusterLog::AtEnd(const ReplicaState& state, RealTime asked) const {
  return EndKnown(asked) && state.position >= primary_.newest();
}

std::optional<Duration> ClusterLog::Behind(const ReplicaState& state, RealTime asked,
                                           bool settled) const {
  if (!state.standby) {
    return Replaced(state, asked) ? std::nullopt : std::optional(Duration::zero());
  }
  if (AtEnd(state, asked)) return Duration::zero();
  std::optional<Duration> most;  // as positions tell
  if (const auto until = primary_.KnownUntil(state.position)) {
    most = std::max(Duration::zero(), asked - *until);
  }
  if (EndKnown(asked)) {
    if (!most.has_value()) {
      return std::max(asked - primary_.Oldest(), state.age.value_or(Duration::zero()));
    }
    return *most <= kResolution && state.age.has_value() ? std::min(*most, *state.age) : most;
  }
  std::optional<Duration> behind = settled ? std::optional(Duration::zero()) : state.age;
  if (most.has_value()) behind = std::min(*most, behind.value_or(*most));
  if (behind.has_value()) behind = std::max(*behind, BehindOthers(state, asked));
  return behind;
}

Duration ClusterLog::BehindOthers(const ReplicaState& state, RealTime asked) const {
  if (received_.empty() || state.position >= received_.newest()) return Duration::zero();
  const RealTime since = received_.KnownUntil(state.position).value_or(received_.Oldest());
  return std::max(Duration::zero(), asked - since);
}

}  // namespace proxymux::pgsql
