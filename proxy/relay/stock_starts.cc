#include "proxy/relay/stock_starts.h"

#include <algorithm>

namespace proxymux::proxy {
namespace {

constexpr int kFailedStartsBeforeGivingUp = 3;

}  // namespace

void StockStarts::OnFailed(const std::string& reason, Time now) {
  last_failure_ = reason;
  ++failed_;
  auto wait = policy_->first_backoff;
  for (int i = 1; i < failed_ && wait < policy_->longest_backoff; ++i) wait *= 2;
  blocked_until_ = now + std::min(wait, policy_->longest_backoff);
}

void StockStarts::OnGreeting() {
  failed_ = 0;
  blocked_until_ = Time{};
}

void StockStarts::HoldBack(Time now) {
  blocked_until_ = std::max(blocked_until_, now + policy_->first_backoff);
}

void StockStarts::OnTime(Time now) {
  if (now >= blocked_until_) blocked_until_ = Time{};
}

bool StockStarts::Hopeless(Time now) const {
  return !MayStart(now) && failed_ >= kFailedStartsBeforeGivingUp;
}

}  // namespace proxymux::proxy
