// Which lookups have waited for longer than their lookup_timeout, wherever they are: in a queue, on
// a connection, or between two tries.
//
// One list for each length of time that tables ask for, in the order of submission, which is the
// order in which they run out: what is due costs a look at the head of each list, however many
// wait. Allocates only when a length is new. Pure.
#pragma once

#include <map>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"

namespace proxymux::pgsql {

class LookupDeadlines {
 public:
  // Lengths that nobody asks for any more are forgotten when there are more than that.
  static constexpr std::size_t kManyLengths = 64;

  // Submitted now: not before any that was added earlier.
  void Add(Work* work, Duration timeout);
  static void Remove(Work* work) { TimeoutList::Remove(work); }  // nothing when it is not there
  // One that is due; it is taken out. Null: there is none.
  Work* TakeDue(Time now);

  std::size_t lengths() const { return lists_.size(); }

 private:
  using TimeoutList = IntrusiveList<Work, &Work::timeout>;
  std::map<Duration, TimeoutList> lists_;
};

}  // namespace proxymux::pgsql
