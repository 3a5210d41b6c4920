// A pool whose servers fall silent: the common ground of the tests of what it does then.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

inline constexpr Duration kStall = std::chrono::milliseconds(1040);  // stall_limit and two ticks

class SilenceWorld : public testing::Test {
 protected:
  using Mood = fakes::ScriptedFactory::Mood;
  using State = HostHealth::State;

  // With `warm` connections, each of which has answered, spread over the hosts.
  void Open(const PoolWorld::Options& options, int warm = 2) {
    world = std::make_unique<PoolWorld>(options);
    for (int i = 0; i < warm; ++i) Look("warm");
    world->Turn();
    AnswerAll("v");
    ASSERT_EQ(world->Open().size(), static_cast<std::size_t>(warm));
  }
  void TearDown() override {
    if (world == nullptr) return;
    EXPECT_LE(world->factory.most_open(),
              static_cast<std::size_t>(world->pool->settings().connections));
    for (std::size_t i = 0; i < world->pool->hosts().size(); ++i) {
      world->factory.SetMood(i, Mood::kAccepts);
    }
    for (int i = 0; i < 20 && !world->pool->Idle(); ++i) {
      AnswerAll("late");
      world->Pass(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(world->pool->Idle());
    EXPECT_EQ(world->pool->WorkInUse(), 0U);
  }

  // Clients live as long as the test: what is left is answered at its end.
  ClientPointer Look(const std::string& key, const std::shared_ptr<TableBinding>& table = nullptr) {
    clients.push_back(world->Look(key, table != nullptr ? table : world->reads));
    return clients.back();
  }

  void AnswerAll(const std::string& value) {
    for (int i = 0; i < 3; ++i) {
      for (auto* upstream : world->Open()) upstream->AnswerEverything(value);
      world->Turn();
    }
  }
  fakes::ScriptedUpstream* Busy(std::size_t host) const {
    for (auto* upstream : world->factory.OpenTo(host)) {
      if (upstream->unanswered() > 0) return upstream;
    }
    return nullptr;
  }
  // The connection that the only statement under way is on.
  fakes::ScriptedUpstream* Busy() const { return world->Busy(); }
  // A lookup whose server says nothing for so long that another one has it too.
  ClientPointer LookTwice(const std::shared_ptr<TableBinding>& table = nullptr) {
    const ClientPointer client = Look("k", table);
    world->Turn();
    first = Busy();
    EXPECT_NE(first, nullptr);
    if (first == nullptr) return client;
    world->Pass(kStall);
    second = Busy(1 - first->host());
    EXPECT_NE(second, nullptr);
    return client;
  }
  void Freeze(std::size_t host) { world->factory.SetMood(host, Mood::kSilent); }
  void TimeOutConnects() {
    for (auto* upstream : world->Open()) {
      if (upstream->state() == fakes::ScriptedUpstream::State::kConnecting) {
        upstream->Refuse("", "timeout expired");
      }
    }
    world->Turn();
  }
  State HealthOf(std::size_t host) const { return world->pool->hosts()[host].health.state(); }

  std::vector<ClientPointer> clients;
  std::unique_ptr<PoolWorld> world;
  fakes::ScriptedUpstream* first = nullptr;
  fakes::ScriptedUpstream* second = nullptr;
};

}  // namespace proxymux::pgsql
