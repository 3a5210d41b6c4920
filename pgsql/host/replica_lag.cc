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
constexpr Duration kPatience = seconds(5);

// As often in a row it may not be able to say; then it is not asked for a while.
constexpr int kFailures = 3;
constexpr Duration kNotAsked = seconds(60);

// What it may be further behind than the limit before that shows.
constexpr Duration kLate = seconds(1);

// Positions of two questions are not closer in time than that: it may be less.
constexpr Duration kResolution = 2 * kInterval;

constexpr Duration kRoleLasts = seconds(60);

// None: nobody can know. A standby that is cut off has replayed all that it got.
std::optional<Duration> LagOf(const ReplicaState& state, Time asked, const WalHistory& history) {
  if (!state.standby)
    return history.Replaced(state) ? std::nullopt : std::optional(Duration::zero());
  if (!state.receiving && !history.Fresh(state, asked)) return state.age;
  const std::optional<Duration> behind = history.Behind(state, asked);
  if (!behind.has_value()) return state.age;
  return *behind <= kResolution && state.age.has_value() ? std::min(*behind, *state.age) : behind;
}

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
  return now - last_asked_ >= (limit > Duration::zero() ? kIntervalWithLimit : kInterval);
}

void ReplicaLag::OnAsked(Time now) {
  last_asked_ = now;
  question_ = Question::kUnderWay;
}

void ReplicaLag::OnAnswered(const ReplicaState& state, Time asked, const WalHistory& history) {
  question_ = Question::kAnswered;
  failures_ = 0;
  not_before_.reset();
  if (state_.has_value() && asked < asked_) return;  // an older answer that came late
  state_ = state;
  asked_ = asked;
  replaced_ = history.Replaced(state);
  lag_ = LagOf(state, asked, history);
  primary_at_ = state.standby ? std::nullopt : std::optional(asked);
}

bool ReplicaLag::OnFailed(Time now) {
  question_ = Question::kAnswered;
  if (++failures_ < kFailures) return false;
  state_.reset();
  lag_.reset();
  return !std::exchange(not_before_, now + kNotAsked).has_value();
}

void ReplicaLag::OnLeft() {
  state_.reset();
  lag_.reset();
  question_ = Question::kNone;
  not_before_.reset();
  failures_ = 0;
}

ReplicaLag::Standing ReplicaLag::Judge(Time now, Duration limit) const {
  if (limit == Duration::zero() || not_before_.has_value()) return Standing::kCurrent;
  if (!state_.has_value()) return Standing::kUnknown;
  if (!lag_.has_value() || *lag_ > limit) return Standing::kBehind;
  return *lag_ + (now - asked_) > limit + kLate ? Standing::kUnknown : Standing::kCurrent;
}

std::string ReplicaLag::Why() const {
  if (replaced_) return "another server has been promoted in its place";
  if (!lag_.has_value()) return "how far it is behind cannot be known";
  char text[60];
  std::snprintf(text, sizeof(text), "it is %.1f s behind",
                std::chrono::duration<double>(*lag_).count());
  return text;
}

bool ReplicaLag::WasPrimary(Time now) const {
  return primary_at_.has_value() && now - *primary_at_ < kRoleLasts;
}

}  // namespace proxymux::pgsql
