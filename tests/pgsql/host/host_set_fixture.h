// The hosts of a pool, brought up and down by the test.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include "pgsql/host/host_set.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/host_spec.h"
#include "tests/pgsql/host/host_failures.h"
#include "tests/pgsql/host/some_hosts.h"

namespace proxymux::pgsql {

inline constexpr Time kNow{std::chrono::hours(1)};

class Hosts : public testing::Test {
 protected:
  static HostSet Make(const std::vector<HostKind>& kinds) { return HostSet(SomeHosts(kinds)); }
  void Up(HostSet& hosts, std::size_t index) { hosts[index].health.OnConnected(kNow); }
  void Down(HostSet& hosts, std::size_t index) { FailAttempt(hosts[index], kNow, &random); }
  // Every back-off is over.
  static constexpr Time Later() { return kNow + std::chrono::seconds(1); }

  std::minstd_rand random{5};
};

}  // namespace proxymux::pgsql
