#include "proxy/status/status_json.h"

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

namespace proxymux::proxy {
namespace {

using Json = nlohmann::ordered_json;

std::string UtcText(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return std::string(text, length);
}

Json LatencyJson(const LatencyHistogram& latency) {
  return {{"count", latency.count()},
          {"avg_us", latency.Mean().count()},
          {"p50_us", latency.Percentile(0.50).count()},
          {"p90_us", latency.Percentile(0.90).count()},
          {"p99_us", latency.Percentile(0.99).count()},
          {"max_us", latency.max().count()}};
}

Json RecentJson(const Recent& recent) {
  Json windows = Json::object();
  for (std::size_t window = 0; window < recent.size(); ++window) {
    const RecentRate& rate = recent[window];
    windows[std::to_string(kRecentWindows[window].count()) + "m"] = {{"span_ms", rate.span.count()},
                                                                     {"done_per_s", rate.done},
                                                                     {"failed_per_s", rate.failed},
                                                                     {"p50_us", rate.p50.count()},
                                                                     {"p99_us", rate.p99.count()}};
  }
  return windows;
}

Json FailureJson(const LastFailure& failure) {
  if (!failure.age) return nullptr;
  return {{"text", failure.text}, {"age_ms", failure.age->count()}};
}

Json HostJson(const HostStatus& host) {
  return {{"name", host.name},
          {"class", host.host_class},
          {"state", host.state},
          {"usable", host.usable},
          {"reason", host.reason},
          {"since_ms", host.since.count()},
          {"server_version", host.server_version},
          {"role", host.role},
          {"lag_ms", host.lag ? Json(host.lag->count()) : Json(nullptr)},
          {"lag_age_ms", host.lag_age ? Json(host.lag_age->count()) : Json(nullptr)},
          {"too_far_behind", host.too_far_behind},
          {"down", host.down},
          {"last_failure", FailureJson(host.last_failure)},
          {"lone_protocol", host.lone_simple ? "simple" : "extended"},
          {"connections", host.connections},
          {"in_flight", host.in_flight},
          {"ok", host.ok},
          {"failed", host.failed},
          {"connects", host.connects},
          {"connect_failures", host.connect_failures},
          {"recent", RecentJson(host.recent)},
          {"latency", LatencyJson(host.latency)}};
}

Json PoolJson(const PoolStatus& pool) {
  Json hosts = Json::array();
  for (const HostStatus& host : pool.hosts) hosts.push_back(HostJson(host));
  return {{"name", pool.name},
          {"state", OutageStateName(pool.outage.state)},
          {"outage_ms", pool.outage.lasts.count()},
          {"limit", pool.limit},
          {"open", pool.open},
          {"connecting", pool.connecting},
          {"busy", pool.busy},
          {"idle", pool.idle},
          {"queue_length", pool.queue_length},
          {"queue_limit", pool.queue_limit},
          {"oldest_wait_ms", pool.oldest_wait.count()},
          {"lookups", pool.lookups},
          {"statements", pool.statements},
          {"syncs", pool.syncs},
          {"reruns", pool.reruns},
          {"asked_twice", {{"stall", pool.asked_twice_stall}, {"hedge", pool.asked_twice_hedge}}},
          {"timeouts", pool.queue_timeouts + pool.lookup_timeouts + pool.statement_timeouts},
          {"queue_timeouts", pool.queue_timeouts},
          {"lookup_timeouts", pool.lookup_timeouts},
          {"statement_timeouts", pool.statement_timeouts},
          {"busy_us", pool.busy_time.count()},
          {"queued_us", pool.queued_time.count()},
          {"most_busy", pool.most_busy},
          {"most_queued", pool.most_queued},
          {"cancels", pool.cancels},
          {"queue_full", pool.queue_full},
          {"outages", pool.outage.begun},
          {"outage_waits", pool.outage.waits},
          {"outage_retries", pool.outage.retries},
          {"hosts", std::move(hosts)}};
}

Json CacheJson(const CacheStatus& cache) {
  return {{"hits", cache.hits},   {"misses", cache.misses},       {"entries", cache.entries},
          {"bytes", cache.bytes}, {"evictions", cache.evictions}, {"stale", cache.stale}};
}

Json TableJson(const TableStatus& table) {
  return {{"name", table.name},
          {"pool", table.pool},
          {"state", TableStateName(table.state)},
          {"reason", table.reason},
          {"failed_in_a_row", table.failed_in_a_row},
          {"last_failure", FailureJson(table.last_failure)},
          {"plan", PlanKindName(table.plan)},
          {"plan_reason", table.plan_reason},
          {"may_write", table.may_write ? Json(*table.may_write) : Json(nullptr)},
          {"lookups", table.lookups},
          {"found", table.found},
          {"not_found", table.not_found},
          {"retry", table.retry},
          {"config", table.config},
          {"coalesced", table.coalesced},
          {"suppressed", table.suppressed},
          {"slow", table.slow},
          {"cache", table.cache ? CacheJson(*table.cache) : Json(nullptr)},
          {"recent", RecentJson(table.recent)},
          {"latency", LatencyJson(table.latency)}};
}

Json SlowJson(const SlowLookup& lookup) {
  return {{"table", lookup.table},
          {"host", lookup.host},
          {"age_ms", lookup.age.count()},
          {"took_ms", lookup.took.count()},
          {"waited_ms", lookup.waited.count()},
          {"usual_us", lookup.usual ? Json(lookup.usual->count()) : Json(nullptr)}};
}

Json RelayJson(const RelayCounts& relay) {
  Json tables = Json::array();
  for (const RelayedTable& table : relay.tables) {
    tables.push_back({{"name", table.name},
                      {"requests", table.requests},
                      {"failures", table.failures},
                      {"latency", LatencyJson(table.latency)}});
  }
  return {{"mode", RelayModeName(relay.mode)},
          {"processes", relay.processes},
          {"limit", relay.limit},
          {"connections", relay.connections},
          {"busy", relay.busy},
          {"waiting", relay.waiting},
          {"requests", relay.requests},
          {"failures", relay.failures},
          {"starts", relay.starts},
          {"tables", std::move(tables)}};
}

}  // namespace

std::string StatusJson(const ServiceStatus& status) {
  Json pools = Json::array();
  for (const PoolStatus& pool : status.pools) pools.push_back(PoolJson(pool));
  Json tables = Json::array();
  for (const TableStatus& table : status.tables) tables.push_back(TableJson(table));
  Json slow = Json::array();
  for (const SlowLookup& lookup : status.slow) slow.push_back(SlowJson(lookup));

  const Json document = {
      {"program", "proxymux"},
      {"version", status.process.version},
      {"build_id", status.process.versions.build_id},
      {"libpq", status.process.versions.libpq},
      {"libuv", status.process.versions.libuv},
      {"postfix", status.process.versions.postfix},
      {"program_file", status.process.program_file},
      {"pid", status.process.pid},
      {"service", status.process.service},
      {"config_directory", status.process.config_directory},
      {"mode", ServiceModeName(status.process.mode)},
      {"started", UtcText(status.process.started)},
      {"uptime_ms", status.process.uptime.count()},
      {"generation", status.process.generation},
      {"state", ServiceStateName(status.state)},
      {"health", status.degraded.empty() ? "ok" : "degraded"},
      {"degraded", Json(status.degraded)},
      {"clients",
       {{"now", status.clients.now},
        {"accepted", status.clients.accepted},
        {"limit", status.clients.limit},
        {"closed_for_size", status.clients.closed_for_size}}},
      {"requests",
       {{"open", status.requests.open},
        {"lookup", status.requests.lookup},
        {"update", status.requests.update},
        {"delete", status.requests.remove},
        {"sequence", status.requests.sequence},
        {"unknown", status.requests.unknown}}},
      {"replies",
       {{"ok", status.replies.ok},
        {"not_found", status.replies.not_found},
        {"retry", status.replies.retry},
        {"bad", status.replies.bad},
        {"deny", status.replies.deny},
        {"config", status.replies.config}}},
      {"malformed", status.malformed},
      {"bytes_read", status.bytes_read},
      {"bytes_written", status.bytes_written},
      {"coalesced", status.coalesced},
      {"reloads", status.reloads},
      {"reload_failures", status.reload_failures},
      {"log_lines_dropped", status.process.log_lines_dropped},
      {"away_ms", status.process.away.count()},
      {"loop_busy_us", status.process.loop_busy.count()},
      {"cpu_user_us", status.process.cpu_user.count()},
      {"cpu_system_us", status.process.cpu_system.count()},
      {"resident_bytes", status.process.resident_bytes},
      {"relay", RelayJson(status.relay)},
      {"pools", std::move(pools)},
      {"tables", std::move(tables)},
      {"slow", std::move(slow)},
  };
  // Names come from files that need not be UTF-8: a bad byte becomes U+FFFD, never an exception.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace proxymux::proxy
