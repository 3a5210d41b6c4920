#include "proxy/requests/slow_lookups.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/text/shown_text.h"

namespace proxymux::proxy {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string WhereItWas(const SlowLookup& lookup) {
  if (lookup.host.empty()) return "no server has answered it";
  return fmt::format("{} ms until it was sent to host {}, {} ms there", lookup.waited.count(),
                     lookup.host, (lookup.took - lookup.waited).count());
}

}  // namespace

void SlowLookups::Look(const pgsql::Answer& answer, const CurrentRequest& current,
                       pgsql::RealTime now) {
  ServedTable& table = *current.table;
  SlowLookup lookup;
  lookup.table = table.name;
  lookup.host = answer.origin.host;
  lookup.took = duration_cast<milliseconds>(now - current.began);
  lookup.waited = lookup.took;
  if (!lookup.host.empty()) {
    lookup.waited -= std::min(lookup.took, duration_cast<milliseconds>(answer.origin.time));
  }
  const LatencyHistogram& latency = table.counters.latency;
  if (latency.count() >= kKnownAfter) lookup.usual = latency.Percentile(0.50);
  if (lookup.usual && lookup.took < *lookup.usual * rule_.times) return;
  ++table.counters.slow;

  std::string text = fmt::format("table {}: a lookup took {} ms: {}", table.name,
                                 lookup.took.count(), WhereItWas(lookup));
  if (lookup.usual) {
    text += fmt::format("; half of them take {:.1f} ms at most",
                        std::chrono::duration<double, std::milli>(*lookup.usual).count());
  }
  if (rule_.shows_keys) text += "; key " + QuotedText(answer.key);
  log_->LimitedWarning("slow " + table.name, text);
  if (latest_.size() >= kKept) latest_.pop_front();
  latest_.push_back({now, std::move(lookup)});
}

std::vector<SlowLookup> SlowLookups::Latest(pgsql::RealTime now) const {
  std::vector<SlowLookup> latest;
  for (auto kept = latest_.rbegin(); kept != latest_.rend(); ++kept) {
    latest.push_back(kept->lookup);
    latest.back().age = duration_cast<milliseconds>(now - kept->ended);
  }
  return latest;
}

}  // namespace proxymux::proxy
