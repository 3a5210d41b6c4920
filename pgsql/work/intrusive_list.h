// Doubly linked lists whose links stand in the elements: an element leaves from anywhere without a
// search, and nothing is allocated. An element has one hook for each kind of list that it may stand
// in, and stands in at most one list of each kind. Owns nothing; an element must have left its
// lists before it is destroyed, or they must not be used any more.
#pragma once

#include <cstddef>

namespace proxymux::pgsql {

// Where an element stands; Element and List tell the kinds apart.
template <typename Element>
struct ListHook {
  Element* previous = nullptr;
  Element* next = nullptr;
  void* list = nullptr;  // the IntrusiveList
};

template <typename Element, ListHook<Element> Element::*kHook>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_ == nullptr; }
  std::size_t size() const { return size_; }
  Element* front() const { return head_; }
  Element* back() const { return tail_; }
  static Element* Next(const Element* element) { return (element->*kHook).next; }
  static Element* Previous(const Element* element) { return (element->*kHook).previous; }
  bool Holds(const Element* element) const { return (element->*kHook).list == this; }
  static bool InSome(const Element* element) { return (element->*kHook).list != nullptr; }

  // Take the element out of the list of this kind that it stands in, if any, and put it into this
  // one.
  void PushBack(Element* element) { InsertBefore(nullptr, element); }
  void PushFront(Element* element) {
    Remove(element);
    InsertBefore(head_, element);
  }
  // `next`: another element of this list; null: at the end.
  void InsertBefore(Element* next, Element* element) {
    Remove(element);
    auto& hook = element->*kHook;
    hook.list = this;
    hook.next = next;
    hook.previous = next != nullptr ? (next->*kHook).previous : tail_;
    (hook.previous != nullptr ? (hook.previous->*kHook).next : head_) = element;
    (next != nullptr ? (next->*kHook).previous : tail_) = element;
    ++size_;
  }
  static void Remove(Element* element) {
    auto& hook = element->*kHook;
    auto* list = static_cast<IntrusiveList*>(hook.list);
    if (list == nullptr) return;
    (hook.previous != nullptr ? (hook.previous->*kHook).next : list->head_) = hook.next;
    (hook.next != nullptr ? (hook.next->*kHook).previous : list->tail_) = hook.previous;
    --list->size_;
    hook = {};
  }

 protected:
  static IntrusiveList* ListOf(const Element* element) {
    return static_cast<IntrusiveList*>((element->*kHook).list);
  }

 private:
  Element* head_ = nullptr;
  Element* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace proxymux::pgsql
