#include "proxy/status/recent_rates.h"

#include <cstddef>
#include <utility>

namespace proxymux::proxy {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// By its place: names of hosts that are hidden are the same.
std::string HostKey(const PoolStatus& pool, std::size_t host) {
  return std::to_string(host) + " " + pool.name;
}

std::uint64_t Done(const TableStatus& table) { return table.found + table.not_found; }
std::uint64_t Failed(const TableStatus& table) { return table.retry + table.config; }

}  // namespace

bool RecentRates::Due(pgsql::RealTime now) const {
  return samples_.empty() || now - samples_.back().at >= kFine;
}

void RecentRates::Keep(const std::string& name, std::uint64_t done, std::uint64_t failed,
                       const LatencyHistogram& latency, const Counts* before, Counts* counts) {
  if (before != nullptr) {
    const auto known = before->find(name);
    if (known != before->end() && known->second->done == done && known->second->failed == failed &&
        known->second->latency.count == latency.count()) {
      counts->insert(*known);
      return;
    }
  }
  counts->emplace(name, std::make_shared<const Count>(Count{done, failed, latency.Keep()}));
}

void RecentRates::Sample(pgsql::RealTime now, const ServiceStatus& status) {
  Observed observed{.at = now, .tables = {}, .hosts = {}};
  const Observed* const before = samples_.empty() ? nullptr : &samples_.back();
  for (const TableStatus& table : status.tables) {
    Keep(table.name, Done(table), Failed(table), table.latency,
         before == nullptr ? nullptr : &before->tables, &observed.tables);
  }
  for (const PoolStatus& pool : status.pools) {
    for (std::size_t i = 0; i < pool.hosts.size(); ++i) {
      const HostStatus& host = pool.hosts[i];
      Keep(HostKey(pool, i), host.ok, host.failed, host.latency,
           before == nullptr ? nullptr : &before->hosts, &observed.hosts);
    }
  }
  samples_.push_back(std::move(observed));
  while (samples_.front().at < now - kRecentWindows.back()) samples_.pop_front();
  // Those that are older than the shortest window are as far apart as a coarse sample is.
  for (std::size_t i = 1; i + 1 < samples_.size();) {
    const bool fine = samples_[i].at >= now - kRecentWindows.front();
    if (!fine && samples_[i + 1].at - samples_[i - 1].at < kCoarse) {
      samples_.erase(samples_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

const RecentRates::Observed* RecentRates::OldestWithin(pgsql::Duration window,
                                                       pgsql::RealTime now) const {
  for (const Observed& observed : samples_) {
    if (now - observed.at <= window) return now > observed.at ? &observed : nullptr;
  }
  return nullptr;
}

// What was not there then has done all that it did since.
RecentRate RecentRates::Rate(milliseconds span, std::uint64_t done, std::uint64_t failed,
                             const LatencyHistogram& latency, const Counts& counts,
                             const std::string& name) {
  static const Count kNothing;
  const auto found = counts.find(name);
  const Count& then = found == counts.end() ? kNothing : *found->second;
  RecentRate rate;
  // A pool that was made anew counts from 0 again.
  if (then.done > done || then.failed > failed || then.latency.count > latency.count()) return rate;
  rate.span = span;
  const double seconds = std::chrono::duration<double>(span).count();
  rate.done = static_cast<double>(done - then.done) / seconds;
  rate.failed = static_cast<double>(failed - then.failed) / seconds;
  const LatencyHistogram since = latency.Since(then.latency);
  rate.p50 = since.Percentile(0.50);
  rate.p99 = since.Percentile(0.99);
  return rate;
}

void RecentRates::FillIn(pgsql::RealTime now, ServiceStatus* status) const {
  for (std::size_t window = 0; window < kRecentWindows.size(); ++window) {
    const Observed* const then = OldestWithin(kRecentWindows[window], now);
    if (then == nullptr) continue;
    const auto span = duration_cast<milliseconds>(now - then->at);
    if (span <= milliseconds(0)) continue;
    for (TableStatus& table : status->tables) {
      table.recent[window] =
          Rate(span, Done(table), Failed(table), table.latency, then->tables, table.name);
    }
    for (PoolStatus& pool : status->pools) {
      for (std::size_t i = 0; i < pool.hosts.size(); ++i) {
        HostStatus& host = pool.hosts[i];
        host.recent[window] =
            Rate(span, host.ok, host.failed, host.latency, then->hosts, HostKey(pool, i));
      }
    }
  }
}

}  // namespace proxymux::proxy
