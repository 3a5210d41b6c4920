// Connections of the only host that are silent while it lives: they are left for other ones, once
// for each lookup.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SilentSession : public SilenceWorld {};

TEST_F(SilentSession, ASlowQueryOnTheOnlyConnectionOfTheOnlyHostIsAnswered) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 1;
  Open(options, 1);
  const auto client = Look("k");
  world->Pass(kStall);
  ASSERT_EQ(world->Open().size(), 1U);
  EXPECT_EQ(world->Connection(0).number(), 1);  // the test took its place
  world->Pass(seconds(5));
  EXPECT_EQ(client->answers, 0);
  ASSERT_EQ(world->Connection(0).unanswered(), 1U);
  EXPECT_EQ(world->Connection(0).number(), 2);  // asked once more; now it may take its time
  world->Connection(0).Answer("slow");
  EXPECT_EQ(client->value, "slow");
}

TEST_F(SilentSession, OfManySlowQueriesOnOneHostNoneIsLost) {
  auto options = PoolWorld::Hosts(1);
  Open(options, 4);
  std::vector<ClientPointer> all;
  for (int i = 0; i < 4; ++i) all.push_back(Look("k"));
  world->Pass(seconds(4));
  AnswerAll("slow");
  for (const auto& client : all) EXPECT_EQ(client->value, "slow");
  EXPECT_EQ(world->pool->counters().connections_lost, 1U);
}

// Something between may hang with one connection only, as Pgpool-II does for five seconds after its
// server has gone.
TEST_F(SilentSession, AConnectionThatIsSilentWhileOthersAnswerIsLeft) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 2;
  Open(options, 2);
  const auto hangs = Look("hangs");
  const auto answered = Look("answered");
  world->Turn();
  const int broken = Busy(0)->number();
  for (int i = 0; i < 14; ++i) {  // others go on
    for (auto* upstream : world->Open()) {
      if (upstream->number() != broken) upstream->AnswerEverything("v");
    }
    world->Pass(milliseconds(100));
    Look("other");
    world->Turn();
  }
  AnswerAll("v");
  EXPECT_EQ(hangs->value + answered->value, "vv");
  EXPECT_EQ(world->pool->counters().connections_lost, 1U);
  EXPECT_EQ(world->pool->counters().cancels, 1U);
}

// All lookups are on connections that hang; the host was down meanwhile, and lets others in again.
TEST_F(SilentSession, ConnectionsThatHangAreLeftForThoseOfAHostThatIsBack) {
  auto options = PoolWorld::Hosts(1);
  options.settings.connections = 2;
  Open(options, 2);
  const auto lost = Look("lost");
  const auto hangs = Look("hangs");
  world->Turn();
  world->factory.SetMood(0, Mood::kRefuses);
  Busy(0)->Lose("gone");
  for (int i = 0; i < 5; ++i) world->Pass(milliseconds(100));
  EXPECT_EQ(world->pool->hosts()[0].health.state(), State::kDown);
  world->factory.SetMood(0, Mood::kAccepts);
  for (int i = 0; i < 12; ++i) world->Pass(milliseconds(100));
  AnswerAll("v");
  AnswerAll("v");
  EXPECT_EQ(hangs->value, "v");
  EXPECT_EQ(lost->value, "v");
  EXPECT_EQ(world->pool->counters().cancels, 1U);
}

// Its lookups may be what hangs: they are asked once more, and then waited for.
TEST_F(SilentSession, WhatHangsAgainIsWaitedFor) {
  auto options = PoolWorld::Hosts(1);
  Open(options, 1);
  const auto client = Look("k");
  for (int i = 0; i < 60; ++i) world->Pass(milliseconds(100));
  EXPECT_EQ(client->answers, 0);
  EXPECT_EQ(world->pool->counters().connections_lost, 1U);
  AnswerAll("v");
  EXPECT_EQ(client->value, "v");
}

TEST_F(SilentSession, WhatIsSlowAsARuleIsWaitedFor) {
  auto options = PoolWorld::Hosts(1);
  Open(options, 2);
  world->reads->service_time.Record(milliseconds(200));
  const auto client = Look("k");
  world->Pass(seconds(3));
  EXPECT_EQ(world->pool->counters().connections_lost, 0U);
  AnswerAll("v");
  EXPECT_EQ(client->value, "v");
}

}  // namespace
}  // namespace proxymux::pgsql
