// proxymux.yaml as the service uses it: which settings go with a table or a pool, and which of them
// must not be used because their settings could not be read.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "config/yaml/loaded_config.h"

namespace proxymux::proxy {

class ServiceConfig {
 public:
  explicit ServiceConfig(config::LoadedConfig loaded) : loaded_(std::move(loaded)) {}

  const config::ServerConfig& server() const { return loaded_.config; }
  const config::LoadedConfig& loaded() const { return loaded_; }

  // An error text instead when an error in the file could make the table or pool less secure than
  // it was meant to be.
  std::variant<config::TableSettings, std::string> ForTable(const std::string& name) const;
  // The order of the hosts in the name does not matter.
  std::variant<config::PoolSettings, std::string> ForPool(const std::string& name) const;

  // Why the pool `name` must not be used, or nothing: a section that asks for TLS (or is broken)
  // names none of the pools that there are, `pools`, and resembles this one, which has no section.
  // Its settings may have been meant for this pool.
  std::optional<std::string> MisnamedSection(const std::string& name,
                                             const std::set<std::string>& pools) const;

 private:
  config::LoadedConfig loaded_;
};

// A line for each section of proxymux.yaml that has no effect, because no such table is approved or
// no table uses such a pool.
std::vector<std::string> UnusedSections(const config::ServerConfig& config,
                                        const std::set<std::string, std::less<>>& approved,
                                        const std::vector<std::string>& pools);

// A line for each setting that differs: "proxymux.yaml: pool.connections is 8 now, it was 4"; and
// for each section of one pool or table that does. Secrets are hidden.
std::vector<std::string> SettingChanges(const config::ServerConfig& before,
                                        const config::ServerConfig& after);

// A line for each setting that differs and that a reload does not take up.
std::vector<std::string> ChangesForRestart(const config::ServerConfig& before,
                                           const config::ServerConfig& after);

}  // namespace proxymux::proxy
