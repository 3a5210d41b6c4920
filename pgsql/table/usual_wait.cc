#include "pgsql/table/usual_wait.h"

#include <algorithm>

namespace proxymux::pgsql {

void UsualWait::Record(Duration taken) {
  if (share_ == 0) return;
  tokens_ = std::min(kMostTokens, tokens_ + share_);
  window_.Record(taken);
  if (window_.count() < kWindow) return;
  usual_ = window_.Percentile(0.99);
  known_ = true;
  window_ = LatencyHistogram();
}

}  // namespace proxymux::pgsql
