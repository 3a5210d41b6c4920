#include "proxy/tables/service_config.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "config/values/hidden_text.h"
#include "config/yaml/option_table.h"
#include "config/yaml/option_value.h"
#include "proxy/tables/pool_name.h"

namespace proxymux::proxy {
namespace {

bool SamePool(const std::string& section, const std::string& pool) {
  return PoolName::Parse(section) == PoolName::Parse(pool);
}

// Whether a section sets an option that a silent default could weaken.
bool AsksForSecurity(const config::PoolSettings& section, const config::PoolSettings& defaults) {
  for (const config::Option& option : config::Options()) {
    if (!option.security || option.scope() != config::OptionScope::kPool) continue;
    if (config::OptionText(option, section) != config::OptionText(option, defaults)) return true;
  }
  return false;
}

// The value of a server's setting, or of one for all pools or tables.
std::string DefaultText(const config::Option& option, const config::ServerConfig& config) {
  switch (option.scope()) {
    case config::OptionScope::kServer:
      return config::OptionText(option, config);
    case config::OptionScope::kPool:
      return config::OptionText(option, config.pool);
    case config::OptionScope::kTable:
      return config::OptionText(option, config.table);
  }
  return "";
}

std::string_view SectionOf(config::OptionScope scope) {
  switch (scope) {
    case config::OptionScope::kServer:
      return "";
    case config::OptionScope::kPool:
      return "pool.";
    case config::OptionScope::kTable:
      return "table.";
  }
  return "";
}

std::string Shown(const std::string& value) { return value.empty() ? "\"\"" : value; }

// The names of sections that are new, gone or other ones.
template <typename Settings>
std::set<std::string> ChangedSections(const std::map<std::string, Settings>& before,
                                      const std::map<std::string, Settings>& after) {
  std::set<std::string> changed;
  const auto compare = [&changed](const auto& these, const auto& those) {
    for (const auto& [name, settings] : these) {
      const auto other = those.find(name);
      if (other == those.end() || !(other->second == settings)) changed.insert(name);
    }
  };
  compare(before, after);
  compare(after, before);
  return changed;
}

}  // namespace

std::variant<config::TableSettings, std::string> ServiceConfig::ForTable(
    const std::string& name) const {
  if (loaded_.all_tables_broken) return loaded_.all_tables_broken_reason;
  if (loaded_.broken_tables.contains(name)) {
    return "proxymux.yaml has an error in the section of table " + name;
  }
  const auto found = loaded_.config.tables.find(name);
  return found == loaded_.config.tables.end() ? loaded_.config.table : found->second;
}

std::variant<config::PoolSettings, std::string> ServiceConfig::ForPool(
    const std::string& name) const {
  if (loaded_.all_tables_broken) return loaded_.all_tables_broken_reason;
  for (const std::string& broken : loaded_.broken_pools) {
    if (SamePool(broken, name))
      return "proxymux.yaml has an error in the section of pool " + config::WithoutSecrets(broken);
  }
  for (const auto& [section, settings] : loaded_.config.pools) {
    if (SamePool(section, name)) return settings;
  }
  return loaded_.config.pool;
}

std::optional<std::string> ServiceConfig::MisnamedSection(
    const std::string& name, const std::set<std::string>& pools) const {
  const auto problem = [&](const std::string& section) -> std::optional<std::string> {
    if (SamePool(section, name)) return std::nullopt;
    for (const std::string& pool : pools) {
      if (SamePool(section, pool)) return std::nullopt;
    }
    if (!PoolName::Parse(section).ResemblesPoolOf(PoolName::Parse(name))) return std::nullopt;
    return "proxymux.yaml: pools: the section " + config::WithoutSecrets(section) +
           " asks for TLS but names no pool; this table's pool is " + name +
           " (name the section so if it is meant, or remove it)";
  };
  for (const std::string& broken : loaded_.broken_pools) {
    if (auto text = problem(broken)) return text;
  }
  for (const auto& [section, settings] : loaded_.config.pools) {
    if (SamePool(section, name)) return std::nullopt;
    if (!AsksForSecurity(settings, loaded_.config.pool)) continue;
    if (auto text = problem(section)) return text;
  }
  return std::nullopt;
}

std::vector<std::string> UnusedSections(const config::ServerConfig& config,
                                        const std::set<std::string, std::less<>>& approved,
                                        const std::vector<std::string>& pools) {
  std::vector<std::string> problems;
  for (const auto& [name, settings] : config.tables) {
    if (approved.contains(name)) continue;
    problems.push_back("proxymux.yaml: tables: " + name +
                       " is not among the approved tables; its section has no effect");
  }
  std::string known;
  for (const std::string& pool : pools) known += (known.empty() ? "" : ", ") + pool;
  for (const auto& [name, settings] : config.pools) {
    const bool used = std::any_of(pools.begin(), pools.end(),
                                  [&](const std::string& pool) { return SamePool(name, pool); });
    if (used) continue;
    problems.push_back("proxymux.yaml: pools: no table uses a pool named " +
                       config::WithoutSecrets(name) + "; its section has no effect (" +
                       (known.empty() ? "there is no pool" : "there are: " + known) + ")");
  }
  return problems;
}

std::vector<std::string> SettingChanges(const config::ServerConfig& before,
                                        const config::ServerConfig& after) {
  std::vector<std::string> changes;
  for (const config::Option& option : config::Options()) {
    const std::string was = DefaultText(option, before);
    const std::string is = DefaultText(option, after);
    if (was == is) continue;
    const std::string name = std::string(SectionOf(option.scope())) + std::string(option.name);
    changes.push_back("proxymux.yaml: " + name +
                      (option.reloadable
                           ? " is " + Shown(is) + " now, it was " + Shown(was)
                           : " will be " + Shown(is) +
                                 " at the next start (postfix reload), it is " + Shown(was)));
  }
  for (const std::string& name : ChangedSections(before.pools, after.pools)) {
    changes.push_back("proxymux.yaml: the section of pool " + config::WithoutSecrets(name) +
                      " has changed");
  }
  for (const std::string& name : ChangedSections(before.tables, after.tables)) {
    changes.push_back("proxymux.yaml: the section of table " + name + " has changed");
  }
  return changes;
}

std::vector<std::string> ChangesForRestart(const config::ServerConfig& before,
                                           const config::ServerConfig& after) {
  std::vector<std::string> changes;
  for (const config::Option& option : config::Options()) {
    if (option.reloadable || option.scope() != config::OptionScope::kServer) continue;
    if (config::OptionText(option, before) == config::OptionText(option, after)) continue;
    changes.push_back("proxymux.yaml: " + std::string(option.name) +
                      " has changed; that takes effect at the next start (postfix reload)");
  }
  return changes;
}

}  // namespace proxymux::proxy
