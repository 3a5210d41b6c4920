// What a pool is made of: its name, its hosts, and the settings that hold for it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/host_set.h"

namespace proxymux::pgsql {

struct PoolConfig {
  std::string name;  // as shown in logs and status: user@host1,host2/dbname
  std::vector<PoolHost> hosts;
  config::PoolSettings settings;
  bool prefers_standby = false;  // a primary is used only while no other host can be
  bool wants_primary = false;    // connections are made to no others
  bool shows_lag = false;        // hosts are asked how far they are behind, without a limit too
  std::chrono::seconds idle_interval{60};
};

}  // namespace proxymux::pgsql
