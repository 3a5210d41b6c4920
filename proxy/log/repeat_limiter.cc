#include "proxy/log/repeat_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace proxymux::proxy {
namespace {

std::chrono::seconds WholeSeconds(RepeatLimiter::Clock::duration duration) {
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(duration));
}

}  // namespace

std::string RepeatLimiter::Admission::Suffix() const {
  if (suppressed == 0) return "";
  return fmt::format(" ({} more such messages suppressed in the last {} s)", suppressed,
                     span.count());
}

std::string RepeatLimiter::Summary::Text() const {
  return fmt::format("{} more such messages suppressed in the last {} s: {}", suppressed,
                     span.count(), key);
}

RepeatLimiter::Admission RepeatLimiter::Admit(std::string_view key, Clock::time_point now) {
  Admission admission;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (options_.max_keys == 0) {
      admission.log = true;
      return admission;
    }
    if (entries_.size() >= options_.max_keys) Forget(std::prev(entries_.end()));
    entries_.push_front(Entry{std::string(key), now, 1, 0});
    by_key_.emplace(entries_.front().key, entries_.begin());
    admission.log = true;
    return admission;
  }

  entries_.splice(entries_.begin(), entries_, found->second);
  Entry& entry = entries_.front();
  if (now - entry.window_start >= options_.window) {
    admission.log = true;
    admission.suppressed = entry.suppressed;
    admission.span = WholeSeconds(now - entry.window_start);
    entry.window_start = now;
    entry.logged = 1;
    entry.suppressed = 0;
  } else if (entry.logged < options_.burst) {
    ++entry.logged;
    admission.log = true;
  } else {
    ++entry.suppressed;
    ++suppressed_;
  }
  return admission;
}

std::vector<RepeatLimiter::Summary> RepeatLimiter::TakeSummaries(Clock::time_point now) {
  std::vector<Summary> summaries;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (now - entry->window_start >= options_.window) {
      if (entry->suppressed > 0) {
        summaries.push_back(
            {entry->key, entry->suppressed, WholeSeconds(now - entry->window_start)});
      }
      by_key_.erase(entry->key);
      entries_.erase(entry);
    }
    entry = next;
  }
  return summaries;
}

void RepeatLimiter::Forget(Entries::iterator entry) {
  forgotten_ += entry->suppressed;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace proxymux::proxy
