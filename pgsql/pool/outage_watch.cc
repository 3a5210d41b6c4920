#include "pgsql/pool/outage_watch.h"

#include <algorithm>

#include "pgsql/work/work_queues.h"

namespace proxymux::pgsql {

void OutageWatch::Look() {
  pool_->hosts.LookForOutage(pool_->Now());
  const bool now = pool_->hosts.outage().state() != Outage::State::kNone;
  if (now == told_) return;
  told_ = now;
  now ? Begin() : End();
}

void OutageWatch::Begin() {
  ++pool_->counters.outages;
  waits_before_ = pool_->counters.outage_waits;
  retries_before_ = pool_->counters.outage_retries;
  for (Work* work = work_->queues().Oldest(); work != nullptr; work = WorkQueues::Younger(work)) {
    work->in_outage = false;  // they may have waited in an earlier one
  }
  pool_->observer->OnOutage(pool_->config.name, pool_->last_failure,
                            pool_->hosts.WaitLeft(pool_->Now()));
}

void OutageWatch::End() {
  pool_->observer->OnOutageOver(pool_->config.name, pool_->Now() - pool_->hosts.outage().begun(),
                                pool_->counters.outage_waits - waits_before_,
                                pool_->counters.outage_retries - retries_before_);
}

// Those that were told stand before those that were not. An answer may bring new lookups, which are
// the next turn's; nobody takes away another lookup.
void OutageWatch::NoteWaiting() {
  if (!pool_->hosts.outage().waiting()) return;
  Work* first = nullptr;
  for (Work* work = work_->queues().Latest(); work != nullptr && !work->in_outage;
       work = WorkQueues::Older(work)) {
    first = work;
  }
  const Work* const last = work_->queues().Latest();
  for (Work* work = first; work != nullptr;) {
    Work* const next = work == last ? nullptr : WorkQueues::Younger(work);
    work->in_outage = true;
    if (work->kind == Work::Kind::kLookup && work->sink != nullptr) {
      ++pool_->counters.outage_waits;
      work->sink->OnOutage(pool_->last_failure);
    }
    work = next;
  }
}

}  // namespace proxymux::pgsql
