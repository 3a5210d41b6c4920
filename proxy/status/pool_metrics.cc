#include "proxy/status/pool_metrics.h"

#include <array>
#include <utility>

#include "proxy/status/metric_family.h"

namespace proxymux::proxy {
namespace {

using prometheus::MetricFamily;
using Family = MetricFamilyBuilder;
using Labels = MetricLabels;

class PoolMetricsBuilder : private MetricFamilies {
 public:
  using MetricFamilies::MetricFamilies;

  void Build(const std::vector<PoolStatus>& pools) {
    AddOutages(pools);
    AddPools(pools);
    AddHosts(pools);
  }

 private:
  using PoolMetric = Metric<PoolStatus>;

  // One count for each pool.
  template <typename Count>
  static void AddEach(Family&& family, const std::vector<PoolStatus>& pools, Count count) {
    for (const PoolStatus& pool : pools) {
      family.Add(static_cast<double>(count(pool)), {{"pool", pool.name}});
    }
  }

  void AddOutages(const std::vector<PoolStatus>& pools) {
    static constexpr std::array<Metric<OutageStatus>, 3> kCounters = {{
        {"proxymux_pool_outages_total", "How often no host could serve.", &OutageStatus::begun},
        {"proxymux_pool_outage_waits_total", "Lookups that waited for a host then.",
         &OutageStatus::waits},
        {"proxymux_pool_outage_retries_total", "Lookups answered RETRY then.",
         &OutageStatus::retries},
    }};
    {
      Family family =
          Gauge("proxymux_pool_state",
                "1 for the state the pool is in (serving, waiting, down), 0 for the others.");
      for (const PoolStatus& pool : pools) {
        for (const OutageState state :
             {OutageState::kServing, OutageState::kWaiting, OutageState::kDown}) {
          family.Add(pool.outage.state == state ? 1 : 0,
                     {{"pool", pool.name}, {"state", std::string(OutageStateName(state))}});
        }
      }
    }
    {
      Family family = Gauge("proxymux_pool_outage_seconds",
                            "For how long no host has been able to serve; 0: one is.");
      for (const PoolStatus& pool : pools) {
        family.Add(pool.outage.lasts, {{"pool", pool.name}});
      }
    }
    for (const auto& metric : kCounters) {
      AddEach(Counter(metric.name, metric.help), pools,
              [&](const PoolStatus& pool) { return pool.outage.*metric.value; });
    }
  }

  void AddPools(const std::vector<PoolStatus>& pools) {
    static constexpr std::array<PoolMetric, 5> kGauges = {{
        {"proxymux_pool_connections_limit", "Database connections that the pool may have.",
         &PoolStatus::limit},
        {"proxymux_pool_queue_length", "Lookups that wait for a connection.",
         &PoolStatus::queue_length},
        {"proxymux_pool_queue_limit", "Lookups that may wait; more are answered RETRY.",
         &PoolStatus::queue_limit},
        {"proxymux_pool_connections_busy_max",
         "Most database connections with statements in flight in the last minute or two.",
         &PoolStatus::most_busy},
        {"proxymux_pool_queue_length_max",
         "Most lookups that waited for a connection in the last minute or two.",
         &PoolStatus::most_queued},
    }};
    static constexpr std::array<PoolMetric, 6> kCounters = {{
        {"proxymux_pool_lookups_total", "Lookups given to the pool.", &PoolStatus::lookups},
        {"proxymux_pool_statements_total", "Statements sent to servers.", &PoolStatus::statements},
        {"proxymux_pool_syncs_total", "Sync messages sent: batches of statements.",
         &PoolStatus::syncs},
        {"proxymux_pool_reruns_total",
         "Statements sent again after a connection or a neighbour in the batch failed.",
         &PoolStatus::reruns},
        {"proxymux_pool_cancels_total", "Statements cancelled on a server.", &PoolStatus::cancels},
        {"proxymux_pool_queue_full_total", "Lookups refused because the queue was full.",
         &PoolStatus::queue_full},
    }};
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
      Family family = Counter(
          "proxymux_pool_timeouts_total",
          "What ran out of time, by reason: lookups (queue_wait, lookup_timeout), statements "
          "(query_timeout).");
      for (const PoolStatus& pool : pools) {
        const std::pair<const char*, std::uint64_t> counts[] = {
            {"queue_wait", pool.queue_timeouts},
            {"lookup_timeout", pool.lookup_timeouts},
            {"query_timeout", pool.statement_timeouts}};
        for (const auto& [reason, count] : counts) {
          family.Add(static_cast<double>(count), {{"pool", pool.name}, {"reason", reason}});
        }
      }
    }
    AddEach(Counter("proxymux_pool_busy_seconds_total",
                    "Time with statements in flight, added up over the pool's connections."),
            pools, [](const PoolStatus& pool) {
              return std::chrono::duration<double>(pool.busy_time).count();
            });
    AddEach(Counter("proxymux_pool_queued_seconds_total",
                    "Time spent waiting for a connection, added up over lookups."),
            pools, [](const PoolStatus& pool) {
              return std::chrono::duration<double>(pool.queued_time).count();
            });
    {
      Family family = Gauge("proxymux_pool_oldest_wait_seconds",
                            "How long the lookup that waits longest has waited.");
      for (const PoolStatus& pool : pools) {
        family.Add(pool.oldest_wait, {{"pool", pool.name}});
      }
    }
    for (const PoolMetric& metric : kGauges) {
      AddEach(Gauge(metric.name, metric.help), pools,
              [&](const PoolStatus& pool) { return pool.*metric.value; });
    }
    for (const PoolMetric& metric : kCounters) {
      AddEach(Counter(metric.name, metric.help), pools,
              [&](const PoolStatus& pool) { return pool.*metric.value; });
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

  void AddFlag(const std::vector<PoolStatus>& pools, const char* name, const char* help,
               bool HostStatus::*value) {
    Family family = Gauge(name, help);
    ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
      family.Add(host.*value ? 1 : 0, std::move(labels));
    });
  }

  void AddDown(const std::vector<PoolStatus>& pools) {
    {
      Family family = Gauge("proxymux_host_down",
                            "1 for the reason why the host takes no lookups (unreachable, refused, "
                            "role, behind, disabled), 0 for the others.");
      ForEachHost(pools, [&](const HostStatus& host, const Labels& labels) {
        for (const char* reason : {"unreachable", "refused", "role", "behind", "disabled"}) {
          Labels with = labels;
          with.emplace_back("reason", reason);
          family.Add(host.down == reason ? 1 : 0, std::move(with));
        }
      });
    }
    Family family = Gauge("proxymux_host_last_failure_age_seconds",
                          "How long ago the host, or a connection to it, failed last; missing when "
                          "none has.");
    ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
      if (host.last_failure.age) family.Add(*host.last_failure.age, std::move(labels));
    });
  }

  void AddVersions(const std::vector<PoolStatus>& pools) {
    Family family = Gauge("proxymux_host_info", "Always 1; the labels say what the host runs.");
    ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
      if (host.server_version.empty()) return;
      labels.emplace_back("server_version", host.server_version);
      family.Add(1, std::move(labels));
    });
  }

  void AddLags(const std::vector<PoolStatus>& pools) {
    {
      Family family = Gauge("proxymux_host_replica_lag_seconds",
                            "How far the host was behind its primary when it was asked last, "
                            "while that is not long ago.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        if (!host.lag.has_value() || host.lag_age > kLagLasts) return;
        labels.emplace_back("role", host.role);
        family.Add(*host.lag, std::move(labels));
      });
    }
    AddFlag(pools, "proxymux_host_too_far_behind",
            "1 while the host is further behind than max_replica_lag, or not the primary that is "
            "wanted.",
            &HostStatus::too_far_behind);
    AddFlag(
        pools, "proxymux_host_lone_simple",
        "1 while a lookup that is alone goes by the simple protocol, which was answered sooner.",
        &HostStatus::lone_simple);
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
      Family family =
          Gauge("proxymux_host_usable", "1 unless the host is known to take no lookups now.");
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
    AddDown(pools);
    AddVersions(pools);
    AddLags(pools);
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
                              "Statements of lookups: ok was answered, failed was lost or failed "
                              "for the host's sake.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        Labels failed = labels;
        labels.emplace_back("status", "ok");
        failed.emplace_back("status", "failed");
        family.Add(static_cast<double>(host.ok), std::move(labels));
        family.Add(static_cast<double>(host.failed), std::move(failed));
      });
    }
    {
      Family family = Histogram("proxymux_host_latency_seconds",
                                "One lookup's statement, from sent to answered.");
      ForEachHost(pools, [&](const HostStatus& host, Labels labels) {
        family.Add(host.latency, std::move(labels));
      });
    }
  }
};

}  // namespace

void AddPoolMetrics(const std::vector<PoolStatus>& pools, std::vector<MetricFamily>* families) {
  PoolMetricsBuilder(families).Build(pools);
}

}  // namespace proxymux::proxy
