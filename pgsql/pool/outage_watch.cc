#include "pgsql/pool/outage_watch.h"

#include <cstddef>

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
  work_->queues().AllAreNew();
  for (std::size_t i = 0; i < pool_->hosts.size() && pool_->hosts.outage().waiting(); ++i) {
    pool_->hosts[i].health.OnAwaited(pool_->Now());
  }
  pool_->observer->OnOutage(pool_->config.name, pool_->last_failure,
                            pool_->hosts.WaitLeft(pool_->Now()));
}

void OutageWatch::End() {
  pool_->observer->OnOutageOver(pool_->config.name, pool_->Now() - pool_->hosts.outage().begun(),
                                pool_->counters.outage_waits - waits_before_,
                                pool_->counters.outage_retries - retries_before_);
}

// An answer may bring new lookups, which are the next turn's; nobody takes away another lookup.
void OutageWatch::NoteWaiting() {
  WorkQueues& queues = work_->queues();
  if (!pool_->hosts.outage().waiting()) return;
  Work* work = queues.FirstNew();
  queues.NoneIsNew();
  while (work != nullptr && work != queues.FirstNew()) {
    Work* const next = WorkQueues::Younger(work);
    if (work->kind == Work::Kind::kLookup && work->sink != nullptr) {
      if (!work->sink->HasStaleAnswer()) ++pool_->counters.outage_waits;
      work->sink->OnOutage(pool_->last_failure);
    }
    work = next;
  }
}

}  // namespace proxymux::pgsql
