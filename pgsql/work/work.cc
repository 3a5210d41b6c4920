#include "pgsql/work/work.h"

namespace proxymux::pgsql {

void WorkList::InsertInOrder(Work* work) {
  Remove(work);
  Work* next = nullptr;
  if (!empty() && back()->sequence > work->sequence) {
    next = front();
    while (next->sequence <= work->sequence) next = Next(next);
  }
  InsertBefore(next, work);
}

void WorkList::Merge(WorkList* other) {
  Work* next = front();
  while (Work* work = other->front()) {
    while (next != nullptr && next->sequence < work->sequence) next = Next(next);
    InsertBefore(next, work);
  }
}

}  // namespace proxymux::pgsql
