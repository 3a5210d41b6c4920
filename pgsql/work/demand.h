// Which kinds of lookups want connections now, or did just now: for whom one is kept free.
//
// Lookups come one by one and are soon answered. A connection that is given away as soon as nobody
// waits for it would be missing a millisecond later, so what came a few seconds ago counts. Pure.
#pragma once

#include <chrono>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"
#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

class Demand {
 public:
  // For so long a connection is kept for the next one of the kind.
  static constexpr Duration kMemory = std::chrono::seconds(5);

  // A lookup was sent that needs no lane.
  void OnQuickSent(const Work& work, const WorkQueues& queues, Time now);
  // One was sent in a lane.
  void OnSlowSent() { slow_are_next_ = false; }

  // Somebody wants a connection that is no lane.
  bool QuickAbout(const WorkQueues& queues, Time now) const;
  // Somebody wants one that is no table's own.
  bool SharersAbout(const WorkQueues& queues, Time now) const;
  // A quick lookup was sent last, while slow ones waited.
  bool slow_are_next() const { return slow_are_next_; }

 private:
  Time last_shared_{};  // none yet: Time{}; the same below
  Time last_quick_{};
  bool slow_are_next_ = false;
};

}  // namespace proxymux::pgsql
