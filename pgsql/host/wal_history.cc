#include "pgsql/host/wal_history.h"

#include <algorithm>

namespace proxymux::pgsql {

void WalHistory::Note(const ReplicaState& state, Time asked) {
  if (state.standby && !state.receiving) return;  // it may be cut off
  if (state.system != system_) {
    *this = {};
    system_ = state.system;
  }
  if (state.standby) {
    Add(state.received, asked);
    return;
  }
  if (state.timeline < timeline_) return;
  if (state.timeline > timeline_) {
    // What the old primary wrote behind the branch is of another log.
    count_ = 0;
    newest_ = {};
    timeline_ = state.timeline;
  }
  Add(state.position, asked);
}

void WalHistory::Add(std::uint64_t position, Time asked) {
  if (position < newest_.position) return;
  newest_ = {position, std::max(asked, newest_.reached)};
  if (count_ > 0) {
    Mark& last = marks_[(next_ + kMarks - 1) % kMarks];
    if (last.position == position) {
      last.reached = newest_.reached;
      return;
    }
    if (newest_.reached - last.reached < kApart) return;
  }
  marks_[next_] = newest_;
  next_ = (next_ + 1) % kMarks;
  count_ = std::min(count_ + 1, kMarks);
}

bool WalHistory::Replaced(const ReplicaState& state) const {
  return !state.standby && state.system == system_ && state.timeline < timeline_;
}

bool WalHistory::Fresh(const ReplicaState& state, Time asked) const {
  return state.system == system_ && count_ > 0 && asked - newest_.reached <= kFresh;
}

std::optional<Duration> WalHistory::Behind(const ReplicaState& state, Time asked) const {
  if (state.system != system_ || count_ == 0) return std::nullopt;
  if (state.position >= newest_.position) return Duration::zero();
  for (std::size_t age = 0; age < count_; ++age) {
    const Mark& mark = Nth(age);
    if (mark.position <= state.position) return std::max(Duration::zero(), asked - mark.reached);
  }
  return std::nullopt;
}

}  // namespace proxymux::pgsql
