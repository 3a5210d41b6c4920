#include "pgsql/work/twin_lookups.h"

#include <utility>

namespace proxymux::pgsql {

Work* TwinLookups::UnsentSecond(const Work& lookup) {
  Work* const second = lookup.twin.second;
  return second != nullptr && !WorkList::InFlight(second) ? second : nullptr;
}

bool TwinLookups::Awaited(const Work& work) {
  return work.sink != nullptr || (work.twin.first != nullptr && work.twin.first->sink != nullptr);
}

void TwinLookups::CountAttempt(Work* work, std::size_t host) {
  work->attempts.Count(host);
  if (work->twin.first != nullptr) work->twin.first->attempts.Count(host);
}

void TwinLookups::TakeBackAttempt(Work* work, std::size_t host) {
  work->attempts.TakeBack(host);
  if (work->twin.first != nullptr) work->twin.first->attempts.TakeBack(host);
}

void TwinLookups::Tie(Work* first, Work* second) {
  second->key = first->key;
  second->needs.as_text = first->needs.as_text;
  second->needs.may_write = false;  // what may write is not asked twice
  second->submitted = first->submitted;
  second->sequence = first->sequence;
  second->attempts.ExhaustTriedOf(first->attempts);
  second->twin.first = first;
  second->twin.is_second = true;
  first->twin.second = second;
}

bool TwinLookups::Park(Work* first) {
  if (first->twin.second == nullptr) return false;
  parked_.PushBack(first);
  return true;
}

TwinLookups::Parted TwinLookups::Part(Work* work) {
  Parted parted;
  if (Work* second = std::exchange(work->twin.second, nullptr)) {
    second->twin.first = nullptr;
    if (!WorkList::InFlight(second)) parted.useless = second;
  }
  if (Work* first = std::exchange(work->twin.first, nullptr)) {
    first->twin.second = nullptr;
    if (WorkList::ListOf(first) == &parked_) parted.on_its_own = first;
  }
  return parted;
}

}  // namespace proxymux::pgsql
