#include "proxy/tables/answer_cache.h"

#include <iterator>

namespace proxymux::proxy {

std::size_t AnswerCache::MostBytes() const {
  return std::max(limits_.max_entries * kBytesPerEntry, kLargestEntry + kOverhead);
}

std::optional<std::string_view> AnswerCache::Find(std::string_view key, pgsql::RealTime now) {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  Entry& entry = *found->second;
  if (!Lasts(entry, now)) {
    Remove(found->second);
    return std::nullopt;
  }
  entry.visited = true;
  if (!IsFresh(entry, now)) return std::nullopt;
  return entry.value;
}

std::optional<AnswerCache::Aged> AnswerCache::FindStale(std::string_view key,
                                                        pgsql::RealTime now) const {
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  const Entry& entry = *found->second;
  if (now >= entry.asked + limits_.stale) return std::nullopt;
  return Aged{entry.value, now - entry.asked};
}

void AnswerCache::Keep(std::string_view key, std::string_view value, pgsql::RealTime asked,
                       pgsql::RealTime now) {
  const auto found = index_.find(key);
  const bool known = found != index_.end();
  if (known && found->second->asked > asked) return;
  if (asked < forgotten_) return;
  if (now >= asked + KeptFor(value) || key.size() + value.size() > kLargestEntry) {
    if (known) Remove(found->second);
    return;
  }
  if (known) {
    Entry& entry = *found->second;
    bytes_ += value.size();
    bytes_ -= entry.value.size();
    entry.value = value;
    entry.asked = asked;
    while (bytes_ > MostBytes()) Evict(now);
    return;
  }
  // Room is made first: the hand must not find the newcomer, which nobody can have asked for yet.
  const std::size_t cost = Cost(key, value);
  while (index_.size() >= limits_.max_entries || bytes_ + cost > MostBytes()) Evict(now);
  entries_.push_front({std::string(key), std::string(value), asked});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += cost;
}

bool AnswerCache::Forget(std::string_view key, pgsql::RealTime now) {
  forgotten_ = now;
  const auto found = index_.find(key);
  if (found == index_.end()) return false;
  Remove(found->second);
  return true;
}

void AnswerCache::ForgetAll(pgsql::RealTime now) {
  forgotten_ = now;
  while (!entries_.empty()) Remove(entries_.begin());
}

AnswerCache::Place AnswerCache::Newer(Place place) {
  return std::prev(place == entries_.begin() ? entries_.end() : place);
}

void AnswerCache::Evict(pgsql::RealTime now) {
  Place place = hand_ == entries_.end() ? std::prev(hand_) : hand_;
  while (place->visited && Lasts(*place, now)) {
    place->visited = false;
    place = Newer(place);
  }
  hand_ = place;  // Remove moves it on
  Remove(place);
  ++evictions_;
}

void AnswerCache::Remove(Place place) {
  if (hand_ == place) hand_ = place == entries_.begin() ? entries_.end() : std::prev(place);
  bytes_ -= Cost(place->key, place->value);
  index_.erase(place->key);
  entries_.erase(place);
}

}  // namespace proxymux::proxy
