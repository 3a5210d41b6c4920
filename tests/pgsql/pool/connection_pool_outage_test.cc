// What a pool does when none of its hosts can serve: lookups wait for one, as long as outage_wait
// lasts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/catalogue_answers.h"
#include "tests/pgsql/pool/pool_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kWait = seconds(5);

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
      world->factory.SetMood(host, Mood::kRefuses);
    }
    for (auto* upstream : world->Open()) upstream->Lose("gone", sqlstate);
    world->Turn();
  }
  static void BringBack(PoolWorld* world, std::size_t host = 0) {
    world->factory.SetMood(host, Mood::kAccepts);
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

TEST_F(PoolOutage, LookupsWaitForTheHostAndAreAnsweredWhenItIsBack) {
  PoolWorld world(Options());
  world.OpenAll();
  const auto under_way = world.Look("k1");
  world.Turn();
  TakeAway(&world);
  const auto waiting = world.Look("k2");
  world.Pass(seconds(2));
  EXPECT_EQ(under_way->answers, 0);
  EXPECT_EQ(waiting->answers, 0);
  BringBack(&world);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  world.Turn();
  for (auto* upstream : world.Open()) upstream->AnswerEverything("v");
  EXPECT_EQ(under_way->value, "v");
  EXPECT_EQ(waiting->value, "v");
  ASSERT_EQ(world.observer.outages, std::vector<Duration>{kWait});
  ASSERT_EQ(world.observer.outages_over.size(), 1U);
  EXPECT_GE(world.observer.outages_over[0].lasted, seconds(2));
  EXPECT_EQ(world.observer.outages_over[0].waited, 2U);
  EXPECT_EQ(world.observer.outages_over[0].retried, 0U);
}

TEST_F(PoolOutage, WhatTheLastConnectionOfAHostThatIsDownOwesIsWaitedForToo) {
  PoolWorld world(Options());
  world.OpenAll();
  std::vector<decltype(world.Look(""))> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(world.Look("k" + std::to_string(i)));
  world.Turn();
  world.factory.SetMood(0, Mood::kRefuses);
  // One after the other, as they end when a server is killed; meanwhile it refuses new ones.
  while (!world.Open().empty()) {
    world.Open().front()->Lose("gone", "");
    world.Pass(milliseconds(1));
  }
  for (const auto& client : clients) EXPECT_EQ(client->answers, 0) << client->reason;
  world.Pass(kWait);
  for (const auto& client : clients) EXPECT_EQ(client->outcome, Outcome::kRetry);
}

TEST_F(PoolOutage, NobodyWaitsLongerThanTheWindowOfTheOutage) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto first = world.Look("k1");
  world.Pass(kWait - milliseconds(100));
  const auto late = world.Look("k2");
  world.Pass(milliseconds(50));
  EXPECT_EQ(first->answers, 0);
  EXPECT_EQ(late->answers, 0);
  world.Pass(milliseconds(100));
  EXPECT_EQ(first->outcome, Outcome::kRetry);
  EXPECT_EQ(first->reason, "a: connection refused");
  EXPECT_EQ(late->answers, 1);
  const auto after = world.Look("k3");
  world.Turn();
  EXPECT_EQ(after->answers, 1);
  EXPECT_EQ(after->outages, 0);
  BringBack(&world);
  world.Pass(seconds(1));
  world.Answered(4);
  ASSERT_EQ(world.observer.outages_over.size(), 1U);
  EXPECT_EQ(world.observer.outages_over[0].waited, 2U);
  EXPECT_EQ(world.observer.outages_over[0].retried, 3U);
}

TEST_F(PoolOutage, AtTheStartToo) {
  PoolWorld world(Options());
  world.factory.SetMood(0, Mood::kRefuses);
  const auto client = world.Look("k");
  world.Pass(seconds(3));
  EXPECT_EQ(client->answers, 0);
  BringBack(&world);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolOutage, WhatCannotPassIsNotWaitedFor) {
  PoolWorld world(Options());
  world.factory.SetMood(0, Mood::kDenies);
  const auto client = world.Look("k");
  world.Turn();
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(world.observer.outages, std::vector<Duration>{Duration::zero()});
}

TEST_F(PoolOutage, WhatCannotPassAnyMoreEndsTheWait) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(seconds(1));
  EXPECT_EQ(client->answers, 0);
  world.factory.SetMood(0, Mood::kDenies);
  world.Pass(milliseconds(100));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
}

TEST_F(PoolOutage, OneOfTwoHostsThatMayPassIsWaitedFor) {
  PoolWorld world(Options(2));
  world.factory.SetMood(0, Mood::kDenies);
  world.factory.SetMood(1, Mood::kRefuses);
  const auto client = world.Look("k");
  world.Pass(seconds(1));
  EXPECT_EQ(client->answers, 0);
  BringBack(&world, 1);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolOutage, TheHostIsTriedEvery50Milliseconds) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  const int before = world.factory.made();
  for (int i = 0; i < 400; ++i) world.Pass(milliseconds(10));
  EXPECT_GE(world.factory.made() - before, 4000 / 61);
  EXPECT_LE(world.factory.made() - before, 4000 / 37);
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));  // over
  EXPECT_EQ(client->answers, 1);
  const int in_window = world.factory.made();
  for (int i = 0; i < 400; ++i) world.Pass(milliseconds(10));
  EXPECT_LE(world.factory.made() - in_window, 12);
}

// A pooler or a load balancer may accept a connection and lose it again, as often as it is tried.
TEST_F(PoolOutage, NoLookupIsSentBeforeTheHostHasAnswered) {
  PoolWorld world(Options());
  world.OpenAll();
  const auto client = world.Look("k");
  world.Turn();
  for (auto* upstream : world.Open()) upstream->Lose("the server behind has gone", "08P01");
  world.Turn();
  int lost = 0;
  for (int i = 0; i < 300; ++i) {
    world.Pass(milliseconds(10));
    if (world.Open().empty()) continue;
    ASSERT_TRUE(IsQuestion(world.Connection(0))) << i;
    ASSERT_TRUE(Texts(world.Connection(0)).empty());
    world.Connection(0).Lose("the server behind has gone", "08P01");
    ++lost;
  }
  EXPECT_GT(lost, 40);
  EXPECT_EQ(client->answers, 0);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  EXPECT_EQ(Texts(world.Connection(0)).size(), 1U);
  world.Connection(0).Answer("v");
  EXPECT_EQ(client->value, "v");
}

// Nor is one lost where a host is back for a moment only.
TEST_F(PoolOutage, AnOutageThatFlapsHoldsNobodyForLonger) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto first = world.Look("k1");
  world.Pass(seconds(3));
  BringBack(&world);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  world.Connection(0).Answer("v");
  EXPECT_EQ(first->value, "v");
  world.Turn();
  TakeAway(&world);
  const auto second = world.Look("k2");
  world.Pass(seconds(1));
  EXPECT_EQ(second->answers, 0);
  world.Pass(seconds(1));
  EXPECT_EQ(second->outcome, Outcome::kRetry);
  ASSERT_EQ(world.observer.outages.size(), 2U);
  EXPECT_LT(world.observer.outages[1], seconds(2));
}

TEST_F(PoolOutage, TheyAreSentInTheOrderInWhichTheyCame) {
  auto options = Options();
  options.settings.connections = 1;
  PoolWorld world(options);
  world.OpenAll();
  TakeAway(&world);
  std::vector<ClientPointer> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(world.Look("k" + std::to_string(i)));
  world.Pass(seconds(1));
  BringBack(&world);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);
  const auto texts = Texts(world.Connection(0));
  ASSERT_EQ(texts.size(), 5U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(texts[i].find("'k" + std::to_string(i) + "'"), std::string::npos) << texts[i];
  }
  world.Connection(0).AnswerEverything("v");
}

TEST_F(PoolOutage, NotMoreWaitThanTheQueueHolds) {
  auto options = Options();
  options.settings.queue_limit = 2;
  options.settings.connections = 1;
  PoolWorld world(options);
  world.OpenAll();
  TakeAway(&world);
  const auto first = world.Look("k1");
  const auto second = world.Look("k2");
  const auto third = world.Look("k3");
  world.Turn();
  EXPECT_EQ(first->answers + second->answers, 0);
  EXPECT_EQ(third->outcome, Outcome::kRetry);
  EXPECT_EQ(third->reason, "too many lookups are waiting (queue_limit)");
  world.Pass(kWait);
  EXPECT_EQ(first->answers + second->answers, 2);
}

TEST_F(PoolOutage, LookupTimeoutBoundsEachAndQueueWaitDoesNot) {
  auto options = Options();
  options.settings.queue_wait = milliseconds(500);
  PoolWorld world(options);
  world.OpenAll();
  auto impatient = PoolWorld::Table("SELECT v FROM t WHERE k = '%s'", WriteClass::kReads);
  impatient->settings.lookup_timeout = seconds(1);
  TakeAway(&world);
  const auto client = world.Look("k", impatient);
  const auto other = world.Look("k");
  world.Pass(milliseconds(900));
  EXPECT_EQ(client->answers, 0);
  world.Pass(milliseconds(200));
  EXPECT_EQ(client->outcome, Outcome::kRetry);
  EXPECT_EQ(other->answers, 0);
  BringBack(&world);
  world.Pass(milliseconds(60));
  AnswerQuestion(&world);  // and queue_wait counts from here
  EXPECT_EQ(other->answers, 0);
  world.Connection(0).Answer("v");
  EXPECT_EQ(other->value, "v");
}

// Those whose table has an older answer take it (Coalescer).
TEST_F(PoolOutage, EachIsToldOnceThatItWaits) {
  PoolWorld world(Options());
  world.OpenAll();
  const auto under_way = world.Look("k1");
  world.Turn();
  TakeAway(&world);
  EXPECT_EQ(under_way->outages, 1);
  const auto next = world.Look("k2");
  for (int i = 0; i < 10; ++i) world.Pass(milliseconds(10));
  EXPECT_EQ(under_way->outages, 1);
  EXPECT_EQ(next->outages, 1);
  world.Abandon(next);
  const auto last = world.Look("k3");
  world.Turn();
  EXPECT_EQ(last->outages, 1);
  EXPECT_EQ(under_way->outages, 1);
  world.Pass(kWait);
}

// As a load balancer does until another server stands behind it.
TEST_F(PoolOutage, AttemptsThatHangKeepNoneFromBeingMade) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(milliseconds(100));
  world.factory.SetMood(0, Mood::kSilent);
  for (int i = 0; i < 200; ++i) world.Pass(milliseconds(10));
  EXPECT_LE(world.factory.most_open(), 4U);
  const int before = world.factory.made();
  for (int i = 0; i < 100; ++i) world.Pass(milliseconds(10));
  EXPECT_GE(world.factory.made() - before, 9);
  EXPECT_EQ(client->answers, 0);
  // What hangs still hangs; a new attempt gets through.
  const int last = world.factory.made();
  BringBack(&world);
  for (int i = 0; i < 12 && world.Busy() == nullptr; ++i) world.Pass(milliseconds(10));
  ASSERT_NE(world.Busy(), nullptr);
  EXPECT_GE(world.factory.made(), last);
  world.Busy()->Answer(kStamp);
  world.Turn();
  world.Busy()->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

// The old primary of a cluster is cut off; another host takes over.
TEST_F(PoolOutage, WhatHangsOnOneHostKeepsNoOtherFromBeingTried) {
  for (const int connections : {1, 2, 4}) {
    SCOPED_TRACE(connections);
    PoolWorld::Options options = Options(3);
    options.settings.connections = connections;
    PoolWorld world(options);
    world.OpenAll();
    const std::size_t old = world.Connection(0).host();
    TakeAway(&world);
    const auto client = world.Look("k");
    for (int i = 0; i < 10; ++i) world.Pass(milliseconds(10));
    world.factory.SetMood(old, Mood::kSilent);
    for (int i = 0; i < 200; ++i) world.Pass(milliseconds(10));
    EXPECT_LE(world.factory.most_open(), static_cast<std::size_t>(connections));
    BringBack(&world, (old + 1) % 3);
    int waited = 0;
    for (; waited < 100 && world.Busy() == nullptr; ++waited) world.Pass(milliseconds(10));
    // With one connection what hangs has to be given up first.
    EXPECT_LE(waited, connections == 1 ? 50 : 10);
    ASSERT_NE(world.Busy(), nullptr);
    world.Busy()->Answer(kStamp);
    world.Turn();
    world.Busy()->AnswerEverything("v");
    EXPECT_EQ(client->value, "v");
  }
}

// A session that is made and leads nowhere.
TEST_F(PoolOutage, AQuestionThatIsNotAnsweredIsAskedOnAnotherConnection) {
  PoolWorld world(Options());
  world.OpenAll();
  TakeAway(&world);
  const auto client = world.Look("k");
  world.Pass(milliseconds(100));
  BringBack(&world);
  world.Pass(milliseconds(60));
  ASSERT_TRUE(IsQuestion(world.Connection(0)));
  const int first = world.Connection(0).number();
  for (int i = 0; i < 130; ++i) world.Pass(milliseconds(10));  // stall_limit and more
  EXPECT_EQ(client->answers, 0);
  ASSERT_FALSE(world.Open().empty());
  EXPECT_NE(world.Connection(0).number(), first);
  AnswerQuestion(&world);
  world.Busy()->AnswerEverything("v");
  EXPECT_EQ(client->value, "v");
}

TEST_F(PoolOutage, AMirrorThatIsUpIsNoOutage) {
  PoolWorld world(Options(2));
  world.OpenAll();
  world.factory.SetMood(0, Mood::kRefuses);
  for (auto* upstream : world.factory.OpenTo(0)) upstream->Lose("gone");
  const auto client = world.Look("k");
  world.Turn();
  world.Busy()->Answer("v");
  EXPECT_EQ(client->value, "v");
  EXPECT_EQ(client->outages, 0);
  EXPECT_TRUE(world.observer.outages.empty());
}

}  // namespace
}  // namespace proxymux::pgsql
