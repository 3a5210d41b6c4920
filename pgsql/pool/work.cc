#include "pgsql/pool/work.h"

namespace proxymux::pgsql {

void WorkList::PushBack(Work* work) {
  Remove(work);
  work->list_ = this;
  work->previous_ = tail_;
  (tail_ != nullptr ? tail_->next_ : head_) = work;
  tail_ = work;
  ++size_;
}

void WorkList::PushFront(Work* work) {
  Remove(work);
  work->list_ = this;
  work->next_ = head_;
  (head_ != nullptr ? head_->previous_ : tail_) = work;
  head_ = work;
  ++size_;
}

void WorkList::InsertBefore(Work* next, Work* work) {
  if (next == nullptr) {
    PushBack(work);
    return;
  }
  if (next == head_) {
    PushFront(work);
    return;
  }
  Remove(work);
  work->list_ = this;
  work->previous_ = next->previous_;
  work->next_ = next;
  next->previous_->next_ = work;
  next->previous_ = work;
  ++size_;
}

void WorkList::InsertInOrder(Work* work) {
  Remove(work);
  Work* next = nullptr;
  if (tail_ != nullptr && tail_->sequence > work->sequence) {
    next = head_;
    while (next->sequence < work->sequence) next = next->next_;
  }
  InsertBefore(next, work);
}

void WorkList::Merge(WorkList* other) {
  Work* next = head_;
  while (Work* work = other->front()) {
    while (next != nullptr && next->sequence < work->sequence) next = next->next_;
    InsertBefore(next, work);
  }
}

void WorkList::Remove(Work* work) {
  WorkList* list = work->list_;
  if (list == nullptr) return;
  (work->previous_ != nullptr ? work->previous_->next_ : list->head_) = work->next_;
  (work->next_ != nullptr ? work->next_->previous_ : list->tail_) = work->previous_;
  work->previous_ = nullptr;
  work->next_ = nullptr;
  work->list_ = nullptr;
  --list->size_;
}

}  // namespace proxymux::pgsql
