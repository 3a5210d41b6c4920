// Where the flights are found by what they ask: a hash table with open addressing that is at most
// half full, so that a search reads one cache line, or two, and touches no flight but the one it
// finds. With ten thousand lookups in flight each further line is a miss.
//
// The caller makes the hash, gives the same one for as long as a flight stands here, and knows what
// is equal. Several of one hash may stand here. Nothing is allocated but when there are more
// flights than ever before. Owns no flight. Pure.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace proxymux::proxy {

template <typename Flight>
class FlightTable {
 public:
  std::size_t size() const { return size_; }

  // A flight of this hash for which `is_it` holds; null: there is none.
  template <typename IsIt>
  Flight* Find(std::uint64_t hash, IsIt is_it) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = Home(hash); slots_[at].flight != nullptr; at = Next(at)) {
      if (slots_[at].hash == hash && is_it(*slots_[at].flight)) return slots_[at].flight;
    }
    return nullptr;
  }

  // One that does not stand here yet.
  void Insert(std::uint64_t hash, Flight* flight) {
    if (size_ * 2 >= slots_.size()) Grow();
    Put({hash, flight});
    ++size_;
  }

  // One that stands here under this hash.
  void Erase(std::uint64_t hash, const Flight* flight) {
    std::size_t hole = Home(hash);
    while (slots_[hole].flight != flight) {
      assert(slots_[hole].flight != nullptr);
      hole = Next(hole);
    }
    // What stands behind it and would not be found across the hole moves into it.
    for (std::size_t at = Next(hole); slots_[at].flight != nullptr; at = Next(at)) {
      const std::size_t from_home = (at - Home(slots_[at].hash)) & (slots_.size() - 1);
      const std::size_t from_hole = (at - hole) & (slots_.size() - 1);
      if (from_home < from_hole) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole].flight = nullptr;
    --size_;
  }

  // In no order that means anything.
  std::vector<Flight*> All() const {
    std::vector<Flight*> all;
    for (const Slot& slot : slots_) {
      if (slot.flight != nullptr) all.push_back(slot.flight);
    }
    return all;
  }

 private:
  static constexpr std::size_t kFewest = 64;

  struct Slot {
    std::uint64_t hash = 0;
    Flight* flight = nullptr;  // null: nobody stands here
  };

  std::size_t Home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t Next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  void Put(const Slot& slot) {
    std::size_t at = Home(slot.hash);
    while (slots_[at].flight != nullptr) at = Next(at);
    slots_[at] = slot;
  }

  void Grow() {
    const std::vector<Slot> before =
        std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kFewest : slots_.size() * 2));
    for (const Slot& slot : before) {
      if (slot.flight != nullptr) Put(slot);
    }
  }

  std::vector<Slot> slots_;  // as many as a power of two
  std::size_t size_ = 0;
};

}  // namespace proxymux::proxy
