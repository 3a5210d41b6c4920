// What a pool has done so far, and what it is doing now; for those who watch it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pgsql/host/outage.h"
#include "pgsql/runtime/event_loop.h"

namespace proxymux::pgsql {

struct PoolCounters {
  std::uint64_t lookups = 0;
  std::uint64_t statements = 0;
  std::uint64_t prepares = 0;
  std::uint64_t syncs = 0;
  std::uint64_t reruns = 0;
  std::uint64_t stalled = 0;          // lookups asked of another host as well because of a silence
  std::uint64_t hedged = 0;           // because they took longer than usual
  std::uint64_t queue_timeouts = 0;   // lookups that waited in vain (queue_wait)
  std::uint64_t lookup_timeouts = 0;  // over lookup_timeout, wherever they were
  std::uint64_t queue_full = 0;
  std::uint64_t outages = 0;
  // Not those that had another answer (LookupSink::HasStaleAnswer).
  std::uint64_t outage_waits = 0;        // lookups that waited for a host in one
  std::uint64_t outage_retries = 0;      // lookups answered kRetry because all hosts were down
  std::uint64_t statement_timeouts = 0;  // statements over query_timeout
  std::uint64_t cancels = 0;
  std::uint64_t connections_lost = 0;
};

struct PoolGauges {
  std::size_t connecting = 0;
  std::size_t ready = 0;
  std::size_t busy = 0;    // of the ready ones
  std::size_t queued = 0;  // lookups
  std::size_t in_flight = 0;
  Duration oldest_wait{};
  Outage::State outage = Outage::State::kNone;
  Duration outage_lasts{};  // since its beginning
  // Level times time, since the pool was made; and the highest level of the last minute or two
  // (LevelMeter).
  Duration busy_time{};
  Duration queued_time{};
  std::size_t most_busy = 0;
  std::size_t most_queued = 0;
};

}  // namespace proxymux::pgsql
