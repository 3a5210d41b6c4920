#include "pgsql/work/demand.h"

#include "pgsql/work/table_binding.h"

namespace proxymux::pgsql {
namespace {

using Queue = WorkQueues::Queue;

bool JustNow(Time last, Time now) { return last != Time() && now - last < Demand::kMemory; }

}  // namespace

void Demand::OnQuickSent(const Work& work, const WorkQueues& queues, Time now) {
  last_quick_ = now;
  if (work.binding->line == Line::kShared) last_shared_ = now;
  slow_are_next_ = queues.lookups(Queue::kSlow) > 0;
}

bool Demand::QuickAbout(const WorkQueues& queues, Time now) const {
  return queues.lookups(Queue::kShared) > 0 || queues.lookups(Queue::kOwn) > 0 ||
         JustNow(last_quick_, now);
}

bool Demand::SharersAbout(const WorkQueues& queues, Time now) const {
  return !queues.Shared().empty() || !queues.Again(Queue::kShared).empty() ||
         JustNow(last_shared_, now);
}

}  // namespace proxymux::pgsql
