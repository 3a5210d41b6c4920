#include "proxy/status/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <locale>
#include <sstream>
#include <utility>

#include "proxy/status/metric_family.h"
#include "proxy/status/pool_metrics.h"

namespace proxymux::proxy {
namespace {

using prometheus::MetricFamily;
using Family = MetricFamilyBuilder;
using Labels = MetricLabels;

class ServiceMetricsBuilder : private MetricFamilies {
 public:
  using MetricFamilies::MetricFamilies;

  void AddService(const ServiceStatus& status) {
    Gauge("proxymux_info", "Always 1; the labels say what runs.")
        .Add(1, {{"version", status.process.version},
                 {"build_id", status.process.versions.build_id},
                 {"libpq", status.process.versions.libpq},
                 {"libuv", status.process.versions.libuv},
                 {"postfix", status.process.versions.postfix},
                 {"service", status.process.service},
                 {"mode", std::string(ServiceModeName(status.process.mode))}});
    Gauge("proxymux_program_replaced",
          "1 when the program's file is another one than at the start: it is to be started again.")
        .Add(status.process.program_file == "replaced" ? 1 : 0);
    Gauge("proxymux_start_time_seconds", "When the process started, in seconds since 1970.")
        .Add(status.process.started.time_since_epoch());
    Gauge("proxymux_draining",
          "1 while the process ends: it finishes work and takes no new clients.")
        .Add(status.state == ServiceState::kDraining ? 1 : 0);
    Gauge("proxymux_degraded", "The number of reasons why the service is degraded; 0 is healthy.")
        .Add(static_cast<double>(status.degraded.size()));
    Gauge("proxymux_resident_bytes", "Memory of the process that is in RAM.")
        .Add(static_cast<double>(status.process.resident_bytes));
    Counter("proxymux_reloads_total", "Configuration reloads that took effect.")
        .Add(static_cast<double>(status.reloads));
    Counter("proxymux_reload_failures_total", "Configuration reloads that changed nothing.")
        .Add(static_cast<double>(status.reload_failures));
    Counter("proxymux_away_seconds_total",
            "Time in which the process was not run although it had something to do.")
        .Add(std::chrono::duration<double>(status.process.away).count());
    Counter("proxymux_loop_busy_seconds_total",
            "Time in which the event loop was at work and did not wait for something to do.")
        .Add(std::chrono::duration<double>(status.process.loop_busy).count());
    Counter("proxymux_cpu_seconds_total", "Processor time of the process, all threads, by mode.")
        .Add(std::chrono::duration<double>(status.process.cpu_user), {{"mode", "user"}})
        .Add(std::chrono::duration<double>(status.process.cpu_system), {{"mode", "system"}});
    Counter("proxymux_log_lines_dropped_total", "Log lines that nobody took in time.")
        .Add(static_cast<double>(status.process.log_lines_dropped));
  }

  void AddRequests(const ServiceStatus& status) {
    Gauge("proxymux_clients", "Client connections now.")
        .Add(static_cast<double>(status.clients.now));
    Gauge("proxymux_clients_limit", "Client connections that are served at once.")
        .Add(static_cast<double>(status.clients.limit));
    Counter("proxymux_clients_accepted_total", "Client connections accepted.")
        .Add(static_cast<double>(status.clients.accepted));
    Counter("proxymux_clients_closed_for_size_total",
            "Client connections closed because a request was larger than max_request.")
        .Add(static_cast<double>(status.clients.closed_for_size));
    const RequestCounts& requests = status.requests;
    Counter("proxymux_requests_total", "Requests read, by kind.")
        .Add(static_cast<double>(requests.open), {{"request", "open"}})
        .Add(static_cast<double>(requests.lookup), {{"request", "lookup"}})
        .Add(static_cast<double>(requests.update), {{"request", "update"}})
        .Add(static_cast<double>(requests.remove), {{"request", "delete"}})
        .Add(static_cast<double>(requests.sequence), {{"request", "sequence"}})
        .Add(static_cast<double>(requests.unknown), {{"request", "unknown"}});
    const ReplyCounts& replies = status.replies;
    Counter("proxymux_replies_total", "Replies given, by status.")
        .Add(static_cast<double>(replies.ok), {{"status", "ok"}})
        .Add(static_cast<double>(replies.not_found), {{"status", "not_found"}})
        .Add(static_cast<double>(replies.retry), {{"status", "retry"}})
        .Add(static_cast<double>(replies.bad), {{"status", "bad"}})
        .Add(static_cast<double>(replies.deny), {{"status", "deny"}})
        .Add(static_cast<double>(replies.config), {{"status", "config"}});
    Counter("proxymux_malformed_requests_total", "Requests that broke the protocol.")
        .Add(static_cast<double>(status.malformed));
    Counter("proxymux_client_read_bytes_total", "Bytes read from clients.")
        .Add(static_cast<double>(status.bytes_read));
    Counter("proxymux_client_written_bytes_total", "Bytes written to clients.")
        .Add(static_cast<double>(status.bytes_written));
    Counter("proxymux_coalesced_total",
            "Lookups answered by an equal lookup that was already in flight.")
        .Add(static_cast<double>(status.coalesced));
  }

  void AddRelay(const RelayCounts& relay) {
    Gauge("proxymux_relay_processes", "Stock daemons that run now to answer other table types.")
        .Add(static_cast<double>(relay.processes));
    Gauge("proxymux_relay_processes_limit", "Stock daemons that may run at once.")
        .Add(static_cast<double>(relay.limit));
    Gauge("proxymux_relay_connections", "Connections to the stock service now.")
        .Add(static_cast<double>(relay.connections));
    Gauge("proxymux_relay_busy",
          "Stock daemons, or connections to the stock service, with a request on the way.")
        .Add(static_cast<double>(relay.busy));
    Gauge("proxymux_relay_waiting", "Requests that wait for one of these.")
        .Add(static_cast<double>(relay.waiting));
    Counter("proxymux_relay_requests_total", "Requests passed to the stock service.")
        .Add(static_cast<double>(relay.requests));
    Counter("proxymux_relay_failures_total", "Of these, requests that were answered RETRY instead.")
        .Add(static_cast<double>(relay.failures));
    Counter("proxymux_relay_starts_total",
            "Stock daemons started, or connections made to the stock service.")
        .Add(static_cast<double>(relay.starts));
    AddRelayedTables(relay.tables);
  }

  void AddTables(const std::vector<TableStatus>& tables) {
    {
      Family family =
          Gauge("proxymux_table_state",
                "1 for the state the table is in (ok, failing, stale, broken), 0 for the others.");
      for (const TableStatus& table : tables) {
        for (const TableState state :
             {TableState::kOk, TableState::kFailing, TableState::kStale, TableState::kBroken}) {
          family.Add(table.state == state ? 1 : 0,
                     {{"table", table.name}, {"state", std::string(TableStateName(state))}});
        }
      }
    }
    {
      Family family = Counter("proxymux_table_lookups_total", "Lookups answered, by status.");
      for (const TableStatus& table : tables) {
        const std::pair<const char*, std::uint64_t> counts[] = {{"ok", table.found},
                                                                {"not_found", table.not_found},
                                                                {"retry", table.retry},
                                                                {"config", table.config}};
        for (const auto& [status, count] : counts) {
          family.Add(static_cast<double>(count), {{"table", table.name}, {"status", status}});
        }
      }
    }
    static constexpr std::array<Metric<TableStatus>, 3> kCounters = {{
        {"proxymux_table_coalesced_total",
         "Lookups answered by an equal lookup that was already in flight.",
         &TableStatus::coalesced},
        {"proxymux_table_suppressed_total",
         "Lookups answered without a query, by the table's own rules.", &TableStatus::suppressed},
        {"proxymux_table_slow_lookups_total", "Lookups that took longer than log.slow allows.",
         &TableStatus::slow},
    }};
    for (const auto& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      for (const TableStatus& table : tables) {
        family.Add(static_cast<double>(table.*metric.value), {{"table", table.name}});
      }
    }
    AddFacts(tables);
    AddCaches(tables);
    {
      Family family = Histogram("proxymux_table_latency_seconds",
                                "One lookup that was found or not found, from read to answered.");
      for (const TableStatus& table : tables) {
        family.Add(table.latency, {{"table", table.name}});
      }
    }
  }

 private:
  void AddRelayedTables(const std::vector<RelayedTable>& tables) {
    static constexpr std::array<Metric<RelayedTable>, 2> kCounters = {{
        {"proxymux_relay_table_requests_total", "Requests for that table passed on.",
         &RelayedTable::requests},
        {"proxymux_relay_table_failures_total",
         "Of these, requests that were answered RETRY instead.", &RelayedTable::failures},
    }};
    for (const auto& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      for (const RelayedTable& table : tables) {
        family.Add(static_cast<double>(table.*metric.value), {{"table", table.name}});
      }
    }
    Family family = Histogram("proxymux_relay_table_latency_seconds",
                              "One request that was answered, from read to answered.");
    for (const RelayedTable& table : tables) family.Add(table.latency, {{"table", table.name}});
  }

  void AddFacts(const std::vector<TableStatus>& tables) {
    {
      Family family = Gauge("proxymux_table_info", "Always 1; the labels say how it is asked.");
      for (const TableStatus& table : tables) {
        const char* const writes = !table.may_write ? "unknown" : *table.may_write ? "yes" : "no";
        family.Add(1, {{"table", table.name},
                       {"pool", table.pool},
                       {"plan", std::string(PlanKindName(table.plan))},
                       {"may_write", writes}});
      }
    }
    Family family = Gauge("proxymux_table_last_failure_age_seconds",
                          "How long ago a lookup failed last; missing when none has.");
    for (const TableStatus& table : tables) {
      if (table.last_failure.age) family.Add(*table.last_failure.age, {{"table", table.name}});
    }
  }

  // Of the tables that keep answers.
  void AddCaches(const std::vector<TableStatus>& tables) {
    const auto add = [&](Family family, std::uint64_t CacheStatus::*value) {
      for (const TableStatus& table : tables) {
        if (!table.cache) continue;
        family.Add(static_cast<double>((*table.cache).*value), {{"table", table.name}});
      }
    };
    add(Counter("proxymux_table_cache_hits_total", "Lookups answered from the table's cache."),
        &CacheStatus::hits);
    add(Counter("proxymux_table_cache_misses_total", "Lookups that the cache had no answer for."),
        &CacheStatus::misses);
    add(Counter("proxymux_table_cache_evictions_total", "Answers dropped for lack of room."),
        &CacheStatus::evictions);
    add(Counter("proxymux_table_stale_answers_total",
                "Lookups answered with what was known from before, while every host was down."),
        &CacheStatus::stale);
    add(Gauge("proxymux_table_cache_entries", "Answers in the cache."), &CacheStatus::entries);
    add(Gauge("proxymux_table_cache_bytes", "Memory that they take."), &CacheStatus::bytes);
  }
};

std::vector<MetricFamily> FamiliesOf(const ServiceStatus& status) {
  std::vector<MetricFamily> families;
  ServiceMetricsBuilder builder(&families);
  builder.AddService(status);
  builder.AddRequests(status);
  builder.AddRelay(status.relay);
  AddPoolMetrics(status.pools, &families);
  builder.AddTables(status.tables);
  return families;
}

}  // namespace

std::string MetricsText(const ServiceStatus& status) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  prometheus::TextSerializer().Serialize(out, FamiliesOf(status));
  return out.str();
}

std::vector<std::string> MetricNames() {
  std::vector<std::string> names;
  for (const MetricFamily& family : FamiliesOf(ServiceStatus{})) names.push_back(family.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace proxymux::proxy
