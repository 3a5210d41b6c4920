// The hosts of one pool: their health, how many connections each has, and which one the next
// connection goes to.
//
// Order of preference as in stock: UNIX sockets, then TCP, then URIs; within a class the host with
// the fewest connections, random among equals. A host that is not known to be up gets one
// connection as a trial before it gets more. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pgsql/host_health.h"
#include "pgsql/host_spec.h"
#include "pgsql/latency_histogram.h"

namespace proxymux::pgsql {

struct PoolHost {
  PoolHost(HostKind kind, std::string label, Duration retry_limit)
      : kind(kind), label(std::move(label)), health(retry_limit) {}

  HostKind kind;
  std::string label;
  HostHealth health;
  std::size_t connecting = 0;
  std::size_t ready = 0;
  Time text_until{};             // its prepared statements do not last: none is made before
  bool retried_at_once = false;  // a single host gets a second attempt before it counts as down

  LatencyHistogram latency;  // of statements, from sent to answered
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t statements = 0;
  std::uint64_t failures = 0;  // statements that failed for the host's sake
};

class HostSet {
 public:
  explicit HostSet(std::vector<PoolHost> hosts) : hosts_(std::move(hosts)) {}

  std::size_t size() const { return hosts_.size(); }
  PoolHost& operator[](std::size_t index) { return hosts_[index]; }
  const PoolHost& operator[](std::size_t index) const { return hosts_[index]; }

  // The host for the next connection; none when no host may be connected to now.
  std::optional<std::size_t> ChooseForConnection(Time now, std::minstd_rand* random) const;

  // Some host may be connected to now.
  bool MayConnect(Time now) const;

  // A host that is down and due for another attempt.
  std::optional<std::size_t> ChooseForProbe(Time now) const;

  bool AnyDown() const;
  // Has a connection, is getting one, or may be connected to now.
  bool MayServe(std::size_t index, Time now) const;

 private:
  bool TakesConnection(const PoolHost& host, Time now) const;

  std::vector<PoolHost> hosts_;
};

}  // namespace proxymux::pgsql
