#include "pgsql/table/service_time.h"

#include <algorithm>

namespace proxymux::pgsql {
namespace {

// The weight of a measurement is one in so many.
constexpr int kMemory = 4;
// A longer one, as of a server that was frozen, counts as this.
constexpr Duration kMost = std::chrono::seconds(1);

}  // namespace

void ServiceTime::Record(Duration taken) {
  taken = std::clamp(taken, Duration::zero(), kMost);
  if (!known_) {
    known_ = true;
    average_ = taken;
    return;
  }
  average_ += (taken - average_) / kMemory;
}

void ServiceTime::Suspect() { average_ = std::max(average_, kSlow); }

}  // namespace proxymux::pgsql
