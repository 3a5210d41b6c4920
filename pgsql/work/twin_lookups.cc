#include "pgsql/work/twin_lookups.h"

#include <utility>

namespace proxymux::pgsql {

bool TwinLookups::Awaited(const Work& work) {
  return work.sink != nullptr || (work.first != nullptr && work.first->sink != nullptr);
}

void TwinLookups::CountAttempt(Work* work, std::size_t host) {
  work->attempts.Count(host);
  if (work->first != nullptr) work->first->attempts.Count(host);
}

void TwinLookups::TakeBackAttempt(Work* work, std::size_t host) {
  work->attempts.TakeBack(host);
  if (work->first != nullptr) work->first->attempts.TakeBack(host);
}

void TwinLookups::Tie(Work* first, Work* second) {
  second->key = first->key;
  second->as_text = first->as_text;
  second->may_write = false;  // what may write is not asked twice
  second->submitted = first->submitted;
  second->sequence = first->sequence;
  second->attempts.ExhaustTriedOf(first->attempts);
  second->first = first;
  second->is_second = true;
  first->second = second;
}

bool TwinLookups::Park(Work* first) {
  if (first->second == nullptr) return false;
  parked_.PushBack(first);
  return true;
}

TwinLookups::Parted TwinLookups::Part(Work* work) {
  Parted parted;
  if (Work* second = std::exchange(work->second, nullptr)) {
    second->first = nullptr;
    if (!WorkList::InFlight(second)) parted.useless = second;
  }
  if (Work* first = std::exchange(work->first, nullptr)) {
    first->second = nullptr;
    if (WorkList::ListOf(first) == &parked_) parted.on_its_own = first;
  }
  return parted;
}

}  // namespace proxymux::pgsql
