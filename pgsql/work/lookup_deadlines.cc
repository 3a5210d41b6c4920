#include "pgsql/work/lookup_deadlines.h"

namespace proxymux::pgsql {
void LookupDeadlines::Add(Work* work, Duration timeout) {
  // Settings change: lengths that nobody asks for any more are forgotten.
  if (lists_.size() > kManyLengths)
    std::erase_if(lists_, [](const auto& one) { return one.second.empty(); });
  lists_[timeout].PushBack(work);
}

Work* LookupDeadlines::TakeDue(Time now) {
  for (auto& [timeout, list] : lists_) {
    Work* const oldest = list.front();
    if (oldest == nullptr || now - oldest->submitted < timeout) continue;
    TimeoutList::Remove(oldest);
    return oldest;
  }
  return nullptr;
}

}  // namespace proxymux::pgsql
