#include "pgsql/libpq/pg_pools.h"

#include <libpq-fe.h>

#include <algorithm>
#include <random>

#include "pgsql/libpq/pg_connection.h"
#include "pgsql/table/result_format.h"

namespace proxymux::pgsql {
namespace {

class PgFactory final : public UpstreamFactory {
 public:
  PgFactory(std::vector<ConnectPlan> plans, EventLoop* loop)
      : plans_(std::move(plans)), common_(loop), loop_(loop) {}

  void SetLimits(const config::PoolSettings& settings, std::size_t max_value) {
    limits_.connect_timeout = settings.connect_timeout;
    limits_.pooler = settings.pooler;
    limits_.max_result_bytes = std::max(limits_.max_result_bytes, MostReceivedFor(max_value));
  }

  std::unique_ptr<UpstreamConnection> NewConnection(std::size_t host,
                                                    UpstreamObserver* observer) override {
    return std::make_unique<PgConnection>(plans_[host], limits_, &common_, loop_, observer);
  }

 private:
  std::vector<ConnectPlan> plans_;
  PgConnectionLimits limits_{};
  PgCommon common_;
  EventLoop* const loop_;
};

std::string KeyOf(const ConnectPlan& plan) {
  std::string key;
  const auto add = [&key](const std::string& text) {
    key += std::to_string(text.size());
    key += ':';
    key += text;
  };
  for (const Endpoint& endpoint : plan.endpoints) {
    add(endpoint.host);
    add(endpoint.hostaddr);
    add(endpoint.port);
  }
  for (const auto& [name, value] : plan.parameters) {
    add(name);
    add(value);
  }
  if (plan.prefers_standby) add("prefer-standby");
  return key;
}

struct Candidate {
  HostKind kind;
  ConnectPlan plan;
  std::string key;
};

// One for each distinct host, in an order that does not depend on that of the file.
std::variant<std::vector<Candidate>, std::string> MakeCandidates(
    const config::TableConfig& table, const std::vector<HostSpec>& hosts,
    const config::PoolSettings& settings) {
  std::vector<Candidate> candidates;
  for (const HostSpec& host : hosts) {
    auto plan = MakeConnectPlan(table, host, settings);
    if (const auto* error = std::get_if<std::string>(&plan)) return *error;
    std::string key = KeyOf(std::get<ConnectPlan>(plan));
    candidates.push_back({host.kind, std::get<ConnectPlan>(std::move(plan)), std::move(key)});
  }
  const auto rank = [](const Candidate& c) { return std::tie(c.kind, c.key); };
  std::sort(candidates.begin(), candidates.end(),
            [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  candidates.erase(
      std::unique(candidates.begin(), candidates.end(),
                  [](const Candidate& a, const Candidate& b) { return a.key == b.key; }),
      candidates.end());
  return candidates;
}

std::string DisplayName(const std::vector<Candidate>& candidates) {
  std::string name;
  const ConnectPlan& first = candidates.front().plan;
  if (!first.user.empty()) name = first.user + "@";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) name += ',';
    name += candidates[i].plan.label;
  }
  if (!first.dbname.empty()) name += "/" + first.dbname;
  return name;
}

}  // namespace

struct PgPools::Entry {
  Entry(std::string settings_name, std::vector<ConnectPlan> plans, PoolConfig config,
        EventLoop* loop, PoolObserver* observer, std::uint32_t seed)
      : settings_name(std::move(settings_name)),
        factory(std::move(plans), loop),
        pool(std::move(config), &factory, loop, observer, seed) {}

  std::string settings_name;
  PgFactory factory;
  ConnectionPool pool;
};

std::string PgPools::UniqueName(const std::string& name) const {
  const auto taken = [this](const std::string& candidate) {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const auto& entry) { return entry.second->pool.name() == candidate; });
  };
  // Pools that differ only in what a name does not show, such as the password or the encoding.
  std::string unique = name;
  for (int n = 2; taken(unique); ++n) unique = name + "#" + std::to_string(n);
  return unique;
}

std::variant<PgPools::PoolPointer, std::string> PgPools::PoolFor(const config::TableConfig& table,
                                                                 const std::vector<HostSpec>& hosts,
                                                                 std::size_t max_value,
                                                                 const SettingsFor& settings_for) {
  if (hosts.empty()) return std::string("hosts names no host");
  // The name does not depend on the settings, which are found by it.
  auto named = MakeCandidates(table, hosts, config::PoolSettings{});
  if (const auto* error = std::get_if<std::string>(&named)) return *error;
  const std::string name = DisplayName(std::get<std::vector<Candidate>>(named));
  const auto settings_or_error = settings_for(name);
  if (const auto* error = std::get_if<std::string>(&settings_or_error)) return *error;
  const auto& settings = std::get<config::PoolSettings>(settings_or_error);

  auto made = MakeCandidates(table, hosts, settings);
  if (const auto* error = std::get_if<std::string>(&made)) return *error;
  auto& candidates = std::get<std::vector<Candidate>>(made);

  std::string key;
  for (const Candidate& candidate : candidates) key += candidate.key + ";";
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    PoolConfig config;
    config.name = UniqueName(name);
    config.settings = settings;
    config.idle_interval = table.idle_interval;
    config.shows_lag = true;
    config.wants_primary = true;
    std::vector<ConnectPlan> plans;
    for (Candidate& candidate : candidates) {
      config.prefers_standby = config.prefers_standby || candidate.plan.prefers_standby;
      config.wants_primary = config.wants_primary && candidate.plan.wants_primary;
      config.hosts.emplace_back(candidate.kind, candidate.plan.label, table.retry_interval);
      plans.push_back(std::move(candidate.plan));
    }
    auto entry = std::make_shared<Entry>(name, std::move(plans), std::move(config), loop_,
                                         observer_, std::random_device{}());
    ApplyDisabledHosts(&entry->pool);
    found = entries_.emplace(std::move(key), std::move(entry)).first;
  }
  const std::shared_ptr<Entry>& entry = found->second;
  entry->factory.SetLimits(settings, max_value);
  entry->pool.SetSettings(settings);
  entry->pool.ForgetStatements();  // a table's file was read, perhaps because the database changed
  return PoolPointer(entry, &entry->pool);
}

void PgPools::UpdateSettings(const SettingsFor& settings_for) {
  for (const auto& [key, entry] : entries_) {
    const auto settings = settings_for(entry->settings_name);
    if (const auto* good = std::get_if<config::PoolSettings>(&settings)) {
      entry->factory.SetLimits(*good, 0);
      entry->pool.SetSettings(*good);
      entry->pool.ForgetStatements();
    }
  }
}

void PgPools::SetDisabledHosts(std::set<std::string, std::less<>> labels) {
  disabled_hosts_ = std::move(labels);
  for (const auto& [key, entry] : entries_) ApplyDisabledHosts(&entry->pool);
}

void PgPools::ApplyDisabledHosts(ConnectionPool* pool) const {
  for (std::size_t host = 0; host < pool->hosts().size(); ++host) {
    pool->SetDisabled(host, disabled_hosts_.contains(pool->hosts()[host].label));
  }
}

void PgPools::Sweep() {
  std::erase_if(entries_, [](const auto& item) {
    const std::shared_ptr<Entry>& entry = item.second;
    return entry.use_count() == 1 && entry->pool.Idle();
  });
}

std::vector<PgPools::PoolPointer> PgPools::All() const {
  std::vector<PoolPointer> pools;
  for (const auto& [key, entry] : entries_) pools.emplace_back(entry, &entry->pool);
  return pools;
}

std::string LibpqVersion() {
  constexpr int kMajor = 10000;  // since PostgreSQL 10
  const int version = PQlibVersion();
  return std::to_string(version / kMajor) + "." + std::to_string(version % kMajor);
}

}  // namespace proxymux::pgsql
