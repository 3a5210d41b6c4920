#include "proxy/service_config.h"

#include <algorithm>

#include "config/option_table.h"
#include "config/option_value.h"

namespace proxymux::proxy {

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
  if (loaded_.broken_pools.contains(name)) {
    return "proxymux.yaml has an error in the section of pool " + name;
  }
  const auto found = loaded_.config.pools.find(name);
  return found == loaded_.config.pools.end() ? loaded_.config.pool : found->second;
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
    if (std::find(pools.begin(), pools.end(), name) != pools.end()) continue;
    problems.push_back("proxymux.yaml: pools: no table uses a pool named " + name +
                       "; its section has no effect (" +
                       (known.empty() ? "there is no pool" : "there are: " + known) + ")");
  }
  return problems;
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
