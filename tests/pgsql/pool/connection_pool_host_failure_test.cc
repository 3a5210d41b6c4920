// What a pool does when hosts cannot be connected to, and when they come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolHostFailure, ASingleHostIsTriedTwiceAtOnceThenLookupsAreAnsweredAtOnce) {
  PoolWorld world;
  world.factory.SetMood(0, Mood::kRefuses);
  const auto client = world.Look("k");
  world.Turn();  // no time passes
  EXPECT_EQ(world.factory.made(), 2);
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(client->reason, "a: connection refused");
  const auto next = world.Look("k");
  world.Turn();
  EXPECT_EQ(next->answers, 1);
  EXPECT_EQ(world.factory.made(), 2);
  EXPECT_EQ(world.observer.down, std::vector<std::string>{"a"});
}

TEST(PoolHostFailure, AWrongPasswordIsNotTriedTwice) {
  PoolWorld world;
  world.factory.SetMood(0, Mood::kDenies);
  const auto client = world.Look("k");
  world.Turn();
  EXPECT_EQ(world.factory.made(), 1);
  EXPECT_EQ(client->outcome, Outcome::kRetry);
}

TEST(PoolHostFailure, ABalancersSecondServerAnswersTheSecondAttempt) {
  PoolWorld world;
  const auto client = world.Look("k");
  world.loop.EndTurn();
  world.Connection(0).Refuse("", "connection refused");
  world.Turn();
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_TRUE(world.observer.down.empty());
}

TEST(PoolHostFailure, AHostIsInUseAgainWithinASecondOfItsReturnAlsoWhenNobodyAsks) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  world.factory.SetMood(0, Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(0)) upstream->Lose("gone");
  world.Answered(4);  // now it is known
  for (int i = 0; i < 600; ++i) world.Pass(milliseconds(100));
  ASSERT_EQ(world.factory.OpenTo(0).size(), 0U);
  const int probes = world.factory.made_to(0);
  EXPECT_GT(probes, 60);
  EXPECT_LT(probes, 110);
  world.factory.SetMood(0, Mood::kAccepts);
  for (int i = 0; i < 10; ++i) world.Pass(milliseconds(100));
  EXPECT_EQ(world.factory.OpenTo(0).size(), 1U);
  EXPECT_TRUE(world.observer.up.empty());  // it has answered nothing yet
  world.Answered(4);
  EXPECT_EQ(world.observer.up, std::vector<std::string>{"a"});
  EXPECT_GE(world.observer.last_was_down, seconds(60));
}

// The lookup was on its way when the server ended the session, which had never been used before:
// for being idle, or for lack of memory. Only where the server goes (57P01) it says something.
TEST(PoolHostFailure, ASessionThatTheServerEndedAloneSaysNothingOfTheHost) {
  for (const char* sqlstate : {"57P05", "53200", "57P01"}) {
    PoolWorld world(PoolWorld::Hosts(2));
    const auto client = world.Look("k");
    world.Turn();
    world.Connection(0).Lose("terminating connection", sqlstate);
    world.Turn();
    EXPECT_EQ(world.observer.down.empty(), std::string(sqlstate) != "57P01") << sqlstate;
    world.Connection(0).Answer("v");
    EXPECT_EQ(client->value, "v");
  }
}

TEST(PoolHostFailure, ADeniedHostIsTriedMoreAndMoreSeldom) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.factory.SetMood(0, Mood::kDenies);
  world.Answered(4);
  for (int i = 0; i < 6000; ++i) {
    const auto client = world.Look("k");
    world.Pass(milliseconds(100));
    for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
    ASSERT_EQ(client->value, "v") << i;
  }
  EXPECT_GE(world.factory.made_to(0), 15);  // ten minutes
  EXPECT_LE(world.factory.made_to(0), 30);
  EXPECT_EQ(world.observer.down.size(), 1U);
}

TEST(PoolHostFailure, WhileAHostIsDownOneConnectionIsKeptFreeForItsReturn) {
  auto options = PoolWorld::Hosts(2);
  options.settings.stall_limit = milliseconds(0);
  PoolWorld world(options);
  world.factory.SetMood(0, Mood::kRefuses);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(world.Look("k"));
    world.Pass(milliseconds(100));
  }
  EXPECT_EQ(world.factory.OpenTo(1).size(), 3U);
  EXPECT_LE(world.factory.most_open(), 4U);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  for (const auto& client : clients) EXPECT_EQ(client->value, "v");
}

// A probe of a frozen host takes seconds: nobody is to wait for it.
TEST(PoolHostFailure, WorkThatHasAHostDoesNotWaitForTheProbeOfOneThatIsDown) {
  PoolWorld world(PoolWorld::Hosts(2));
  world.OpenAll();
  world.factory.SetMood(0, Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(0)) upstream->Lose("gone");
  world.Answered(4);
  world.factory.SetMood(0, Mood::kSilent);
  world.Pass(seconds(2));
  ASSERT_EQ(world.factory.OpenTo(0).size(), 1U);  // the probe
  const auto client = world.Look("k");
  world.Turn();
  for (auto* upstream : world.factory.OpenTo(1)) {
    if (upstream->unanswered() > 0) upstream->Fail("40001", "could not serialize access");
  }
  world.Turn();
  for (auto* upstream : world.factory.OpenTo(1)) upstream->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST(PoolHostFailure, ASingleHostInADifficultyIsAskedAgainALittleLater) {
  for (const bool own_session : {false, true}) {
    SCOPED_TRACE(own_session);
    PoolWorld world(PoolWorld::Connections(1));
    world.OpenAll();
    const auto client = world.Look("k", own_session ? world.writes : world.reads);
    world.Turn();
    auto& connection = world.Connection(0);
    connection.Fail("XX000", "unable to read data from DB node 0");
    world.Turn();
    EXPECT_EQ(connection.unanswered(), 0U);
    const auto other = world.Look("other");  // which does not wait for that
    world.Turn();
    ASSERT_EQ(connection.unanswered(), 1U);
    connection.Answer("v");
    EXPECT_EQ(other->value, "v");
    world.Pass(milliseconds(150));
    EXPECT_EQ(connection.unanswered(), 0U);
    world.Pass(milliseconds(100));
    ASSERT_EQ(connection.unanswered(), 1U);
    connection.Fail("XX000", "unable to read data from DB node 0");  // no third time
    EXPECT_EQ(client->answers, 1);
    EXPECT_EQ(client->outcome, Outcome::kRetry);
  }
}

// Pgpool-II whose server crashes ends one session and answers on the next one with an error.
TEST(PoolHostFailure, AnErrorOnAConnectionThatWasThereAtALossIsNotTheLastTry) {
  PoolWorld world(PoolWorld::Connections(2));
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  const int lost = world.Busy()->number();
  world.Busy()->Lose("server closed the connection unexpectedly");
  world.Turn();
  ASSERT_NE(world.Busy(), nullptr);
  ASSERT_LT(world.Busy()->number(), 2);
  ASSERT_NE(world.Busy()->number(), lost);
  world.Busy()->Fail("XX000", "unable to read data from DB node 0");
  world.Turn();
  EXPECT_EQ(client->answers, 0);
  world.Pass(milliseconds(250));
  ASSERT_NE(world.Busy(), nullptr);
  world.Busy()->Answer("v");
  EXPECT_EQ(client->value, "v");
}

// What pauses is looked at in each turn. Many that fail are asked again at once, as if nothing were
// to be gained by waiting.
TEST(PoolHostFailure, OfManyThatFailOnlySomePause) {
  PoolWorld world(PoolWorld::Connections(1));
  world.OpenAll();
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(world.Look("k" + std::to_string(i)));
  world.Turn();
  auto& connection = world.Connection(0);
  while (connection.unanswered() > 0) {
    connection.Fail("53200", "out of memory");
    world.Turn();
  }
  const auto answered =
      std::ranges::count_if(clients, [](const auto& c) { return c->answers == 1; });
  EXPECT_EQ(answered, 200 - 64);
  EXPECT_EQ(world.pool->Gauges().queued, 64U);
  world.Pass(milliseconds(250));
  while (connection.unanswered() > 0) {
    connection.Answer("v");
    world.Turn();
  }
  EXPECT_EQ(std::ranges::count_if(clients, [](const auto& c) { return c->value == "v"; }), 64);
}

TEST(PoolHostFailure, ALookupWhoseLimitsLeaveNoTimeDoesNotPause) {
  for (const bool short_queue : {true, false}) {
    SCOPED_TRACE(short_queue);
    auto options = PoolWorld::Connections(1);
    if (short_queue) options.settings.queue_wait = milliseconds(200);
    PoolWorld world(options);
    world.OpenAll();
    if (!short_queue) world.reads->settings.lookup_timeout = milliseconds(150);
    const auto client = world.Look("k");
    world.Turn();
    world.Connection(0).Fail("53200", "out of memory");
    world.Turn();
    ASSERT_EQ(world.Connection(0).unanswered(), 1U);
    world.Connection(0).Answer("v");
    EXPECT_EQ(client->value, "v");
  }
}

TEST(PoolHostFailure, SubmittingFromInsideARetryDoesNotHoldTheTurn) {
  PoolWorld world;
  world.factory.SetMood(0, Mood::kRefuses);
  const auto first = world.Look("k");
  world.Turn();
  int answered = 0;
  struct Stubborn final : LookupSink {
    PoolWorld* world = nullptr;
    int* answered = nullptr;
    int left = 1000;
    void OnAnswer(const Answer&) override {
      ++*answered;
      if (left-- > 0) world->pool->Submit(world->reads, "k", this);
    }
  };
  Stubborn one, other;
  for (Stubborn* sink : {&one, &other}) {
    sink->world = &world;
    sink->answered = &answered;
    world.pool->Submit(world.reads, "k", sink);
  }
  // Each turn of the loop answers what was there when it began; the virtual loop goes on turning.
  int answered_in_one_turn = 0;
  world.loop.AtEndOfTurn([&] { answered_in_one_turn = answered; });
  world.loop.EndTurn();
  EXPECT_EQ(answered_in_one_turn, 2);
  EXPECT_EQ(answered, 2002);
}

}  // namespace
}  // namespace proxymux::pgsql
