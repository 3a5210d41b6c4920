// Lookups that took longer than they should: which ones these are, their line in the log, and the
// latest of them for those who ask later.
//
// One is slow that took at least a given time, and so many times as long as half of its table's
// lookups take. How long that is, is known after a hundred. One that waited for a host while all
// were down is none: the outage is told, once for all tables. Bounded: the latest few are kept, and
// lines of one table are limited as all warnings are. Pure but for the log.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "pgsql/runtime/event_loop.h"
#include "pgsql/work/work.h"
#include "proxy/log/message_log.h"
#include "proxy/requests/current_request.h"
#include "proxy/status/status.h"

namespace proxymux::proxy {

struct SlowRule {
  std::chrono::milliseconds least{500};  // 0: none is slow
  std::int64_t times = 10;
  bool shows_keys = false;
};

class SlowLookups {
 public:
  static constexpr std::size_t kKept = 20;
  static constexpr std::uint64_t kKnownAfter = 100;

  // The log must outlive it.
  explicit SlowLookups(MessageLog* log) : log_(log) {}

  void SetRule(const SlowRule& rule) { rule_ = rule; }

  // A lookup in a pgsql table is answered now, before it is counted in its table.
  void Note(const pgsql::Answer& answer, const CurrentRequest& current, pgsql::RealTime now) {
    if (rule_.least.count() == 0 || now - current.began < rule_.least || answer.no_host) return;
    Look(answer, current, now);
  }

  // The latest first.
  std::vector<SlowLookup> Latest(pgsql::RealTime now) const;

 private:
  struct Kept {
    pgsql::RealTime ended;
    SlowLookup lookup;
  };

  void Look(const pgsql::Answer& answer, const CurrentRequest& current, pgsql::RealTime now);

  MessageLog* const log_;
  SlowRule rule_;
  std::deque<Kept> latest_;  // the latest last
};

}  // namespace proxymux::proxy
