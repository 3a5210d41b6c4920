// A pool whose hosts go away and come back, and whose lookups wait for that.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {

inline constexpr auto kWait = std::chrono::seconds(5);

class PoolOutage : public ::testing::Test {
 protected:
  static PoolWorld::Options Options(std::size_t hosts = 1) {
    PoolWorld::Options options = PoolWorld::Hosts(hosts);
    options.settings.outage_wait = kWait;
    return options;
  }
  // All connections are lost, and no host can be connected to.
  static void TakeAway(PoolWorld* world, const std::string& sqlstate = "") {
    for (std::size_t host = 0; host < world->pool->hosts().size(); ++host) {
      world->factory.SetMood(host, fakes::ScriptedFactory::Mood::kRefuses);
    }
    for (auto* upstream : world->Open()) upstream->Lose("gone", sqlstate);
    world->Turn();
  }
  static void BringBack(PoolWorld* world, std::size_t host = 0) {
    world->factory.SetMood(host, fakes::ScriptedFactory::Mood::kAccepts);
  }
  static bool IsQuestion(const fakes::ScriptedUpstream& upstream) {
    return upstream.oldest() != nullptr && AsksStamp(upstream.oldest()->sql);
  }
  static void AnswerQuestion(PoolWorld* world) {
    ASSERT_TRUE(IsQuestion(world->Connection(0)));
    world->Connection(0).Answer(kStamp);
    world->Turn();
  }
  static std::vector<std::string> Texts(const fakes::ScriptedUpstream& upstream) {
    std::vector<std::string> lookups;
    for (const std::string& text : upstream.texts()) {
      if (!AsksCatalogue(text)) lookups.push_back(text);
    }
    return lookups;
  }
};

}  // namespace proxymux::pgsql
