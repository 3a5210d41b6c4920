#include "pgsql/host/host_health.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace proxymux::pgsql {
namespace {

constexpr Duration kFirstBackoff = std::chrono::milliseconds(50);
constexpr Duration kUnreachableLimit = std::chrono::milliseconds(800);

// Between two tests of a host that passes them: each may cost a connection with statements that
// only take long.
constexpr Duration kTrust = std::chrono::seconds(10);

}  // namespace

// libpq has no code for that, only these words (its source: PQconnectPoll), in English, since this
// program takes no locale from its environment.
bool HostHealth::OfOtherRole() const {
  if (state_ != State::kDown) return false;
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"session is read-only", "session is not read-only",
                                      "server is in hot standby mode",
                                      "server is not in hot standby mode"},
      [this](std::string_view words) { return reason_.find(words) != std::string::npos; });
}

void HostHealth::SetState(State state, Time now) {
  if (state_ == state) return;
  const bool was_down = state_ == State::kDown || state_ == State::kTrial;
  if (state == State::kDown && !was_down) down_since_ = now;
  state_ = state;
  since_ = now;
  if (state == State::kUp) {
    reason_.clear();
    backoff_ = Duration::zero();
  }
}

void HostHealth::OnConnected(Time now) {
  switch (state_) {
    case State::kUntried:
      SetState(State::kUp, now);
      return;
    case State::kSuspect:
      SetState(State::kUp, now);
      trusted_until_ = now + kTrust;
      return;
    case State::kDown:
      SetState(State::kTrial, now);
      return;
    case State::kUp:
    case State::kTrial:
      return;
  }
}

bool HostHealth::OnAnswered(Time now, Time opened) {
  const bool trial = state_ == State::kTrial && opened >= since_;
  if (!trial && state_ != State::kSuspect) return false;
  SetState(State::kUp, now);
  return trial;
}

void HostHealth::OnGivenUp(Time now) { retry_at_ = std::max(retry_at_, now); }

void HostHealth::OnAwaited(Time now) {
  if (failure_ == FailureKind::kUnreachable) retry_at_ = std::min(retry_at_, now + kFirstBackoff);
}

bool HostHealth::OnSilent(Time now, std::string reason) {
  if (state_ != State::kUp || Trusted(now)) return false;
  SetState(State::kSuspect, now);
  reason_ = std::move(reason);
  NoteError(now, reason_);
  return true;
}

bool HostHealth::OnFailed(Time now, FailureKind kind, std::string reason, std::minstd_rand* random,
                          Duration took, bool awaited) {
  const bool known = state_ == State::kDown || state_ == State::kTrial;
  const bool changed = !known || reason_ != reason;
  SetState(State::kDown, now);
  reason_ = std::move(reason);
  NoteError(now, reason_);
  failure_ = kind;
  const Duration passing = awaited ? kFirstBackoff : kUnreachableLimit;
  const Duration limit =
      kind == FailureKind::kUnreachable ? std::min(passing, retry_limit_) : retry_limit_;
  backoff_ = std::min(limit, std::max(kFirstBackoff, backoff_ * 2));
  // Between 75% and 100%: many services that lost one server must not come back in step, nor later
  // than the limit.
  std::uniform_int_distribution<Duration::rep> jitter(backoff_.count() * 3 / 4, backoff_.count());
  const Duration wait(jitter(*random));
  retry_at_ =
      now + (kind == FailureKind::kUnreachable ? std::max(Duration::zero(), wait - took) : wait);
  return changed;
}

}  // namespace proxymux::pgsql
