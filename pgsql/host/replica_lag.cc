#include "pgsql/host/replica_lag.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kInterval = seconds(1);
constexpr Duration kIntervalWithLimit = milliseconds(500);
// A question without an answer is asked again, perhaps on another connection.
constexpr Duration kPatience = seconds(1);

// As often in a row it may fail to say; and so long it is not asked when it cannot.
constexpr int kFailures = 3;
constexpr Duration kNotAsked = seconds(60);

// What it may be further behind than the limit before that shows.
constexpr Duration kLate = seconds(1);

// It does not get any further for so long: it has all that is sent to it.
constexpr Duration kStill = seconds(2);
// So long nobody decides whether one catches up.
constexpr Duration kDecided = seconds(3);
// By less than that two measures of one commit time differ.
constexpr Duration kJitter = milliseconds(250);

// One that was behind is not connected to again for so long where another one may be; nor is one
// whose role counts, and that lookups do not need, asked again for what it is.
constexpr Duration kRemembered = seconds(30);

}  // namespace

bool ReplicaLag::ShouldAsk(Time now, Duration limit) const {
  if (not_before_.has_value() && now < *not_before_) return false;
  switch (question_) {
    case Question::kNone:
      return true;
    case Question::kUnderWay:
      return now - last_asked_ >= kPatience;
    case Question::kAnswered:
      break;
  }
  // It has become old.
  if (standing_ == Standing::kUnknown && failures_ == 0 && !undecided_) return true;
  return now - last_asked_ >= (limit > Duration::zero() ? kIntervalWithLimit : kInterval);
}

void ReplicaLag::OnAsked(Time now) {
  last_asked_ = now;
  question_ = Question::kUnderWay;
}

void ReplicaLag::OnAnswered(const ReplicaState& state, RealTime asked, RealTime answered,
                            const ClusterLog& log) {
  question_ = Question::kAnswered;
  failures_ = 0;
  not_before_.reset();
  refused_ = false;
  Forget();                                          // it may be another server
  if (state_.has_value() && asked < asked_) return;  // an older answer that came late
  if (!state_.has_value() || state_->position != state.position ||
      state_->received != state.received) {
    still_since_ = asked;
  }
  Settle(state, asked, log);
  state_ = state;
  asked_ = asked;
  answered_ = answered;
  diverged_ = diverged_ && state.standby;
  lag_ = log.Behind(state, asked, settled_);
  primary_at_ = state.standby ? std::nullopt : std::optional(asked);
}

// Whether it has all shows as long as it is known where the log ends, or what it has is new. An
// idle primary writes a little now and then; one that catches up replays old commits, one after
// another.
void ReplicaLag::Settle(const ReplicaState& state, RealTime asked, const ClusterLog& log) {
  const bool first = !state_.has_value();
  const bool was_undecided = std::exchange(undecided_, false);
  if (first) first_asked_ = asked;
  const Place place{state.system, state.received};
  const bool is_new = state.age.has_value() && *state.age <= ClusterLog::kResolution;
  if (!state.standby || !state.receiving) {
    settled_ = false;
    settled_at_ = {};
  } else if (log.AtEnd(state, asked) || is_new) {
    settled_ = true;
  } else if (!first && state.age.has_value() &&
             (!state_->age.has_value() || *state.age + kJitter < *state_->age + (asked - asked_))) {
    settled_ = false;  // another commit, and an old one
    settled_at_ = {};
  } else if (!settled_ && state.position >= state.received) {
    settled_ = asked - still_since_ >= kStill || place == settled_at_;
    undecided_ = !settled_ && (first || (was_undecided && asked - first_asked_ <= kDecided));
  }
  if (settled_) settled_at_ = place;
}

bool ReplicaLag::OnFailed(Failure failure, Time now) {
  question_ = Question::kAnswered;
  refused_ = refused_ || failure == Failure::kRefusal;
  if (!refused_) {
    const bool behind = state_.has_value() && standing_ == Standing::kBehind;
    if (++failures_ < kFailures || behind) return false;
  }
  Clear();
  return !std::exchange(not_before_, now + kNotAsked).has_value();
}

void ReplicaLag::OnLeft(RealTime now) {
  question_ = Question::kNone;
  failures_ = 0;
  if (!refused_) not_before_.reset();
  if (!left_.has_value()) left_ = now;
  if (standing_ != Standing::kBehind) Forget();
}

void ReplicaLag::Forget() {
  if (left_.has_value()) Clear();
}

void ReplicaLag::Clear() {
  left_.reset();
  state_.reset();
  lag_.reset();
  replaced_ = diverged_ = settled_ = undecided_ = false;
}

void ReplicaLag::Look(RealTime now, const Terms& terms, const ClusterLog* log) {
  if (log != nullptr && state_.has_value()) {
    replaced_ = state_->standby ? terms.another_is_primary : log->Replaced(*state_, asked_);
    diverged_ = log->Diverged(*state_, answered_).value_or(diverged_);
  }
  standing_ = Judge(now, terms);
  if (standing_ != Standing::kUnknown) was_behind_ = standing_ == Standing::kBehind;
}

ReplicaLag::Standing ReplicaLag::Judge(RealTime now, const Terms& terms) const {
  if (not_before_.has_value()) return Standing::kCurrent;
  const Duration limit = terms.limit;
  const bool limited = limit > Duration::zero();
  if (!limited && !replaced_) {
    // One that was replaced when it was there last has to be asked again.
    const bool was = terms.role_counts && was_behind_ && !state_.has_value();
    return was ? Standing::kUnknown : Standing::kCurrent;
  }
  if (!limited && !terms.role_counts) return Standing::kCurrent;
  if (!state_.has_value()) return Standing::kUnknown;
  const bool behind = Apart() || !lag_.has_value() || *lag_ > limit;
  if (left_.has_value()) {
    return behind && now - *left_ < kRemembered ? Standing::kBehind : Standing::kUnknown;
  }
  if (!limited) return Standing::kBehind;  // however long ago it was asked
  const Duration since = now - asked_;
  if (behind && undecided_) return Standing::kUnknown;
  if (behind) {
    return since > limit + kLate && failures_ == 0 ? Standing::kUnknown : Standing::kBehind;
  }
  return *lag_ + since > limit + kLate ? Standing::kUnknown : Standing::kCurrent;
}

std::string ReplicaLag::Why() const {
  if (Demoted()) return "it is a standby, and another host is the primary (target_session_attrs)";
  if (replaced_) return "another server has been promoted in its place";
  if (diverged_) return "it has another log than the primary";
  if (!lag_.has_value()) return "how far it is behind cannot be known (max_replica_lag)";
  char text[60];
  std::snprintf(text, sizeof(text), "it is %.1f s behind (max_replica_lag)",
                std::chrono::duration<double>(*lag_).count());
  return text;
}

bool ReplicaLag::Unseen(RealTime now) const {
  return !not_before_.has_value() && now - asked_ >= kRemembered;
}

bool ReplicaLag::WasPrimary(RealTime now, Duration ago) const {
  return primary_at_.has_value() && now - *primary_at_ < ago;
}

}  // namespace proxymux::pgsql
