// What a pool does when none of its hosts can serve: lookups wait for one, as long as outage_wait
// lasts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/pgsql/pool/outage_world.h"

namespace proxymux::pgsql {
namespace {

using Mood = fakes::ScriptedFactory::Mood;
using std::chrono::milliseconds;
using std::chrono::seconds;

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
