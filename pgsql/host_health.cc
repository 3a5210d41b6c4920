#include "pgsql/host_health.h"

#include <algorithm>

namespace proxymux::pgsql {
namespace {

constexpr Duration kFirstBackoff = std::chrono::milliseconds(50);
constexpr Duration kUnreachableLimit = std::chrono::milliseconds(800);

}  // namespace

void HostHealth::SetState(State state, Time now) {
  if (state_ == state) return;
  state_ = state;
  since_ = now;
}

bool HostHealth::OnConnected(Time now) {
  const bool changed = state_ != State::kUp;
  SetState(State::kUp, now);
  reason_.clear();
  backoff_ = Duration::zero();
  return changed;
}

bool HostHealth::OnFailed(Time now, FailureKind kind, std::string reason,
                          std::minstd_rand* random) {
  const bool changed = state_ != State::kDown || reason_ != reason;
  SetState(State::kDown, now);
  reason_ = std::move(reason);
  const Duration limit =
      kind == FailureKind::kUnreachable ? std::min(kUnreachableLimit, retry_limit_) : retry_limit_;
  backoff_ = std::min(limit, std::max(kFirstBackoff, backoff_ * 2));
  // Between 75% and 100%: many services that lost one server must not come back in step, nor later
  // than the limit.
  std::uniform_int_distribution<Duration::rep> jitter(backoff_.count() * 3 / 4, backoff_.count());
  retry_at_ = now + Duration(jitter(*random));
  return changed;
}

}  // namespace proxymux::pgsql
