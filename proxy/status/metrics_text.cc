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

namespace proxymux::proxy {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Family = MetricFamilyBuilder;
using Labels = MetricLabels;

class Builder {
 public:
  std::vector<MetricFamily> Build(const ServiceStatus& status) {
    AddService(status);
    AddRequests(status);
    AddRelay(status.relay);
    AddPools(status.pools);
    AddHosts(status.pools);
    AddTables(status.tables);
    return std::move(families_);
  }

 private:
  Family Gauge(const char* name, const char* help) {
    return Family(&families_, MetricType::Gauge, name, help);
  }
  Family Counter(const char* name, const char* help) {
    return Family(&families_, MetricType::Counter, name, help);
  }
  Family Histogram(const char* name, const char* help) {
    return Family(&families_, MetricType::Histogram, name, help);
  }

  void AddService(const ServiceStatus& status) {
    Gauge("proxymux_info", "Always 1; the labels say what runs.")
        .Add(1, {{"version", status.process.version},
                 {"service", status.process.service},
                 {"mode", std::string(ServiceModeName(status.process.mode))}});
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
    Gauge("proxymux_relay_busy", "Of these, connections with a request on the way.")
        .Add(static_cast<double>(relay.busy));
    Gauge("proxymux_relay_waiting", "Requests that wait for such a connection.")
        .Add(static_cast<double>(relay.waiting));
    Counter("proxymux_relay_requests_total", "Requests passed to the stock service.")
        .Add(static_cast<double>(relay.requests));
    Counter("proxymux_relay_failures_total", "Of these, requests that were answered RETRY instead.")
        .Add(static_cast<double>(relay.failures));
    Counter("proxymux_relay_starts_total", "Stock daemons started.")
        .Add(static_cast<double>(relay.starts));
  }

  template <typename Status>
  struct Metric {
    const char* name;
    const char* help;
    std::uint64_t Status::*value;
  };
  using PoolMetric = Metric<PoolStatus>;

  void AddOutages(const std::vector<PoolStatus>& pools) {
    static constexpr std::array<Metric<OutageStatus>, 3> kCounters = {{
        {"proxymux_pool_outages_total", "How often no host could serve.", &OutageStatus::begun},
        {"proxymux_pool_outage_waits_total", "Lookups that waited for a host then.",
         &OutageStatus::waits},
        {"proxymux_pool_outage_retries_total", "Lookups answered RETRY then.",
         &OutageStatus::retries},
    }};
    {
      Family family = Gauge("proxymux_pool_outage_seconds",
                            "For how long no host has been able to serve; 0: one is.");
      for (const PoolStatus& pool : pools) {
        family.Add(pool.outage.lasts, {{"pool", pool.name}});
      }
    }
    for (const auto& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      for (const PoolStatus& pool : pools) {
        family.Add(static_cast<double>(pool.outage.*metric.value), {{"pool", pool.name}});
      }
    }
  }

  void AddPools(const std::vector<PoolStatus>& pools) {
    static constexpr std::array<PoolMetric, 3> kGauges = {{
        {"proxymux_pool_connections_limit", "Database connections that the pool may have.",
         &PoolStatus::limit},
        {"proxymux_pool_queue_length", "Lookups that wait for a connection.",
         &PoolStatus::queue_length},
        {"proxymux_pool_queue_limit", "Lookups that may wait; more are answered RETRY.",
         &PoolStatus::queue_limit},
    }};
    static constexpr std::array<PoolMetric, 7> kCounters = {{
        {"proxymux_pool_lookups_total", "Lookups given to the pool.", &PoolStatus::lookups},
        {"proxymux_pool_statements_total", "Statements sent to servers.", &PoolStatus::statements},
        {"proxymux_pool_syncs_total", "Sync messages sent: batches of statements.",
         &PoolStatus::syncs},
        {"proxymux_pool_reruns_total",
         "Statements sent again after a connection or a neighbour in the batch failed.",
         &PoolStatus::reruns},
        {"proxymux_pool_timeouts_total", "Lookups that ran out of time.", &PoolStatus::timeouts},
        {"proxymux_pool_cancels_total", "Statements cancelled on a server.", &PoolStatus::cancels},
        {"proxymux_pool_queue_full_total", "Lookups refused because the queue was full.",
         &PoolStatus::queue_full},
    }};
    AddOutages(pools);
    {
      Family family = Gauge("proxymux_pool_connections", "Database connections by state.");
      for (const PoolStatus& pool : pools) {
        family.Add(static_cast<double>(pool.connecting),
                   {{"pool", pool.name}, {"state", "connecting"}});
        family.Add(static_cast<double>(pool.busy), {{"pool", pool.name}, {"state", "busy"}});
        family.Add(static_cast<double>(pool.idle), {{"pool", pool.name}, {"state", "idle"}});
      }
    }
    {
      Family family = Counter("proxymux_pool_asked_twice_total",
                              "Lookups asked of another host as well, by reason.");
      for (const PoolStatus& pool : pools) {
        family.Add(static_cast<double>(pool.asked_twice_stall),
                   {{"pool", pool.name}, {"reason", "stall"}});
        family.Add(static_cast<double>(pool.asked_twice_hedge),
                   {{"pool", pool.name}, {"reason", "hedge"}});
      }
    }
    {
      Family family = Gauge("proxymux_pool_oldest_wait_seconds",
                            "How long the lookup that waits longest has waited.");
      for (const PoolStatus& pool : pools) {
        family.Add(pool.oldest_wait, {{"pool", pool.name}});
      }
    }
    for (const PoolMetric& metric : kGauges) {
      Family family = Gauge(metric.name, metric.help);
      for (const PoolStatus& pool : pools) {
        family.Add(static_cast<double>(pool.*metric.value), {{"pool", pool.name}});
      }
    }
    for (const PoolMetric& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      for (const PoolStatus& pool : pools) {
        family.Add(static_cast<double>(pool.*metric.value), {{"pool", pool.name}});
      }
    }
  }

  template <typename Function>
  static void ForEachHost(const std::vector<PoolStatus>& pools, Function add) {
    for (const PoolStatus& pool : pools) {
      for (const HostStatus& host : pool.hosts) {
        add(host, Labels{{"pool", pool.name}, {"host", host.name}});
      }
    }
  }

  void AddHosts(const std::vector<PoolStatus>& pools) {
    using HostMetric = Metric<HostStatus>;
    static constexpr std::array<HostMetric, 2> kGauges = {{
        {"proxymux_host_connections", "Connections to the host.", &HostStatus::connections},
        {"proxymux_host_in_flight", "Statements sent and not yet answered.",
         &HostStatus::in_flight},
    }};
    static constexpr std::array<HostMetric, 2> kCounters = {{
        {"proxymux_host_connects_total", "Connections that were set up.", &HostStatus::connects},
        {"proxymux_host_connect_failures_total", "Connections that could not be set up.",
         &HostStatus::connect_failures},
    }};
    {
      Family family = Gauge("proxymux_host_usable", "1 while the host takes lookups.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        family.Add(host.usable ? 1 : 0, std::move(labels));
      });
    }
    {
      Family family =
          Gauge("proxymux_host_state_seconds", "How long the host has been in its state.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        labels.emplace_back("state", host.state);
        family.Add(host.since, std::move(labels));
      });
    }
    for (const HostMetric& metric : kGauges) {
      Family family = Gauge(metric.name, metric.help);
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        family.Add(static_cast<double>(host.*metric.value), std::move(labels));
      });
    }
    for (const HostMetric& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        family.Add(static_cast<double>(host.*metric.value), std::move(labels));
      });
    }
    {
      Family family = Counter("proxymux_host_statements_total",
                              "Statements answered by the host, by outcome (ok, failed).");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        Labels failed = labels;
        labels.emplace_back("status", "ok");
        failed.emplace_back("status", "failed");
        family.Add(static_cast<double>(host.ok), std::move(labels));
        family.Add(static_cast<double>(host.failed), std::move(failed));
      });
    }
    {
      Family family =
          Histogram("proxymux_host_latency_seconds", "One statement, from sent to answered.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        family.Add(host.latency, std::move(labels));
      });
    }
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
    static constexpr std::array<Metric<TableStatus>, 2> kCounters = {{
        {"proxymux_table_coalesced_total",
         "Lookups answered by an equal lookup that was already in flight.",
         &TableStatus::coalesced},
        {"proxymux_table_suppressed_total",
         "Lookups answered without a query, by the table's own rules.", &TableStatus::suppressed},
    }};
    for (const auto& metric : kCounters) {
      Family family = Counter(metric.name, metric.help);
      for (const TableStatus& table : tables) {
        family.Add(static_cast<double>(table.*metric.value), {{"table", table.name}});
      }
    }
    AddCaches(tables);
    {
      Family family =
          Histogram("proxymux_table_latency_seconds", "One lookup, from read to answered.");
      for (const TableStatus& table : tables) {
        family.Add(table.latency, {{"table", table.name}});
      }
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

  std::vector<MetricFamily> families_;
};

}  // namespace

std::string MetricsText(const ServiceStatus& status) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  prometheus::TextSerializer().Serialize(out, Builder().Build(status));
  return out.str();
}

std::vector<std::string> MetricNames() {
  std::vector<std::string> names;
  for (const MetricFamily& family : Builder().Build(ServiceStatus{})) names.push_back(family.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace proxymux::proxy
