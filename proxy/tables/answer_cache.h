// Answers of one version of one table, kept for a while and given again.
//
// Off unless a table's settings ask for it. An entry is never given once its ttl is over; the ttl
// counts from when the server was asked, so no answer is older than that. Keys that were not found
// have a ttl of their own; errors are not for keeping. Each version of a table has a cache of its
// own, which goes with it.
//
// Answers may also be kept beyond that for the case that no server can be asked (stale_if_error):
// only FindStale() gives these, and none that is older than the limit for them.
//
// What is dropped when there is no room is chosen by SIEVE (Zhang et al., NSDI 2024): entries stand
// in the order in which they came, asking for an entry only marks it, and a hand that goes from the
// old to the new takes the first entry that was not asked for since the hand last came by. So a hit
// moves and allocates nothing, and keys that are asked once, as most that senders make up are,
// leave first.
//
// Bounded by entries and by bytes: kBytesPerEntry for each entry allowed, with what it costs to
// keep one. A large answer takes the room of several; one above kLargestEntry is not kept.
//
// Pure: time is an argument. Not for statements that may write: that is for the caller to see to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pgsql/runtime/event_loop.h"

namespace proxymux::proxy {

class AnswerCache {
 public:
  static constexpr std::size_t kLargestEntry = 4096;  // key and value
  static constexpr std::size_t kBytesPerEntry = 512;
  // Nodes, strings and the allocator's own, beside the bytes of key and value.
  static constexpr std::size_t kOverhead = 200;

  struct Limits {
    pgsql::Duration ttl{};           // of what was found; 0: not kept
    pgsql::Duration negative_ttl{};  // of what was not found; 0: not kept
    std::size_t max_entries = 0;     // at least 1
    pgsql::Duration stale{};         // for FindStale(), of both; 0: not kept
  };

  struct Aged {
    std::string_view value;  // empty: not found
    pgsql::Duration age;     // since the server was asked
  };

  explicit AnswerCache(const Limits& limits) : limits_(limits) {}
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  // The value; an empty one: not found. Nothing when the server has to be asked. The view is good
  // until the next call.
  std::optional<std::string_view> Find(std::string_view key, pgsql::RealTime now);

  // For when no server can be asked: what is known from before, if it is younger than
  // Limits::stale. The view is good until the next call of a function that is not const.
  std::optional<Aged> FindStale(std::string_view key, pgsql::RealTime now) const;

  // What the server answered, and when it was asked; an empty value: not found. An older answer
  // never replaces a newer one; a newer one that cannot be kept removes the older.
  void Keep(std::string_view key, std::string_view value, pgsql::RealTime asked,
            pgsql::RealTime now);

  // No earlier answer is given any more for that key: not the one that is there, and none that was
  // asked for before. True when there was one.
  bool Forget(std::string_view key, pgsql::RealTime now);
  void ForgetAll(pgsql::RealTime now);

  // Whether Find() can ever give anything.
  bool gives_fresh() const { return limits_.ttl.count() > 0 || limits_.negative_ttl.count() > 0; }
  std::size_t entries() const { return index_.size(); }  // some may be over their time
  std::size_t bytes() const { return bytes_; }
  std::uint64_t evictions() const { return evictions_; }  // for lack of room

 private:
  struct Entry {
    std::string key;
    std::string value;
    pgsql::RealTime asked;
    bool visited = false;  // since the hand last came by, whether it was given or too old
  };
  using Place = std::list<Entry>::iterator;

  static std::size_t Cost(std::string_view key, std::string_view value) {
    return kOverhead + key.size() + value.size();
  }
  pgsql::Duration TtlOf(std::string_view value) const {
    return value.empty() ? limits_.negative_ttl : limits_.ttl;
  }
  pgsql::Duration KeptFor(std::string_view value) const {
    return std::max(TtlOf(value), limits_.stale);
  }
  bool IsFresh(const Entry& entry, pgsql::RealTime now) const {
    return now < entry.asked + TtlOf(entry.value);
  }
  bool Lasts(const Entry& entry, pgsql::RealTime now) const {
    return now < entry.asked + KeptFor(entry.value);
  }
  std::size_t MostBytes() const;
  Place Newer(Place place);  // round the list: behind the newest comes the oldest
  void Evict(pgsql::RealTime now);
  void Remove(Place place);

  const Limits limits_;
  std::list<Entry> entries_;                           // the newest first
  std::unordered_map<std::string_view, Place> index_;  // views into the entries
  Place hand_ = entries_.end();                        // end: at the oldest
  std::size_t bytes_ = 0;
  std::uint64_t evictions_ = 0;
  // When something was forgotten last. What was asked for before is not kept, of whatever key: that
  // is as good as never having asked.
  pgsql::RealTime forgotten_{};
};

}  // namespace proxymux::proxy
