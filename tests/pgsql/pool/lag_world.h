// Servers that say how far they are behind, in a world of the test's making.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

inline constexpr char kPrimary[] = "7 primary 100 00000001";
inline constexpr char kCurrent[] = "7 standby 100 100 receiving 1000";
inline constexpr char kBehind[] = "7 standby 50 50 apart 60000000";

class PoolLag : public testing::Test {
 protected:
  static PoolWorld::Options Options(std::size_t hosts,
                                    config::WhenAllLag when_all = config::WhenAllLag::kUse) {
    PoolWorld::Options options = PoolWorld::Hosts(hosts);
    options.settings.max_replica_lag = std::chrono::seconds(5);
    options.settings.when_all_lag = when_all;
    return options;
  }
  static bool IsAsked(const fakes::ScriptedUpstream& upstream) {
    return upstream.oldest() != nullptr && AsksLag(upstream.oldest()->sql);
  }
  static std::size_t Questions(const fakes::ScriptedUpstream& upstream) {
    std::size_t count = 0;
    for (const std::string& text : upstream.texts()) count += AsksLag(text) ? 1 : 0;
    return count;
  }
  static std::size_t Lookups(const fakes::ScriptedUpstream& upstream) {
    return upstream.texts().size() - Questions(upstream);
  }
  // Every question that is under way is answered with what the host says, and every lookup with
  // "v", until nothing is left to answer.
  static void Serve(PoolWorld* world, const std::vector<std::string>& said) {
    for (bool busy = true; busy;) {
      world->Turn();
      busy = false;
      for (auto* upstream : world->Open()) {
        if (upstream->answerable() == 0) continue;
        busy = true;
        upstream->Answer(IsAsked(*upstream) ? said[upstream->host()] : "v");
      }
    }
  }
  // Lookups for so long, a hundred a second.
  static void Ask(PoolWorld* world, Duration time, const std::vector<std::string>& said) {
    for (Duration passed{}; passed < time; passed += std::chrono::milliseconds(10)) {
      const auto one = world->Look("k");
      const auto two = world->Look("k");
      Serve(world, said);
      world->loop.Advance(std::chrono::milliseconds(10));
      EXPECT_EQ(one->answers + two->answers, 2);
    }
  }
  static std::size_t LookupsOn(const PoolWorld& world, std::size_t host) {
    std::size_t count = 0;
    for (auto* upstream : world.factory.OpenTo(host)) count += Lookups(*upstream);
    return count;
  }
};

}  // namespace proxymux::pgsql
