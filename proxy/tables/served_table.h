// One pgsql table as it is served: what its file says now, the pool that answers for it, and what
// was counted.
//
// Lives as long as the process serves it; a changed file replaces `binding` and `pool` and leaves
// the rest, but for the cache. Lookups in flight hold on to the binding and pool that they began
// with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/values/server_config.h"
#include "pgsql/pool/connection_pool.h"
#include "pgsql/runtime/latency_histogram.h"
#include "pgsql/work/table_binding.h"
#include "proxy/status/status.h"
#include "proxy/tables/answer_cache.h"
#include "proxy/tables/table_failures.h"

namespace proxymux::proxy {

struct TableCounters {
  std::uint64_t lookups = 0;
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t retry = 0;
  std::uint64_t config = 0;
  std::uint64_t coalesced = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t slow = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t cache_evictions = 0;  // of earlier caches; the present one counts its own
  std::uint64_t stale = 0;            // answered from before while every host was down
  LatencyHistogram latency;
};

// Whether a table with these settings has a cache.
inline bool KeepsAnswers(const config::TableSettings& settings) {
  return settings.cache_ttl.count() > 0 || settings.cache_negative_ttl.count() > 0 ||
         settings.stale_if_error.count() > 0;
}

struct ServedTable {
  std::string name;                              // "pgsql:/etc/postfix/x.cf"
  std::shared_ptr<pgsql::TableBinding> binding;  // null: broken from the start
  std::shared_ptr<pgsql::ConnectionPool> pool;   // null: broken from the start
  std::shared_ptr<AnswerCache> cache;            // of this version; null: answers are not kept
  TableState state = TableState::kBroken;        // as the files say: never kFailing
  std::string reason;                            // why the state is not kOk: "FILE:LINE: what"
  TableCounters counters;
  TableFailures failures;  // of this version

  // For a new version, or settings that were read again: no earlier answer is given any more.
  // Lookups in flight keep what they bring in the cache that they began with.
  void RenewCache() {
    if (cache != nullptr) counters.cache_evictions += cache->evictions();
    cache.reset();
    if (binding == nullptr) return;
    const config::TableSettings& settings = binding->settings;
    if (!KeepsAnswers(settings)) return;
    cache = std::make_shared<AnswerCache>(AnswerCache::Limits{
        settings.cache_ttl, settings.cache_negative_ttl,
        static_cast<std::size_t>(settings.cache_max_entries), settings.stale_if_error});
  }
};

}  // namespace proxymux::proxy
