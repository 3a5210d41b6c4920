// Hosts of a pool, none of them tried yet.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "pgsql/host/host_set.h"
#include "pgsql/table/host_spec.h"

namespace proxymux::pgsql {

// Labelled "a", "b", ...
inline std::vector<PoolHost> SomeHosts(const std::vector<HostKind>& kinds) {
  std::vector<PoolHost> hosts;
  for (const HostKind kind : kinds) {
    hosts.emplace_back(kind, std::string(1, static_cast<char>('a' + hosts.size())),
                       std::chrono::seconds(60));
  }
  return hosts;
}

inline std::vector<PoolHost> SomeHosts(std::size_t count) {
  return SomeHosts(std::vector<HostKind>(count, HostKind::kTcp));
}

}  // namespace proxymux::pgsql
