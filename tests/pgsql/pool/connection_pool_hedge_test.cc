// What a pool does for a table with hedge_percent: a lookup that takes longer than its table's
// lookups usually do is asked of another host too, as far as the budget goes.
#include <gtest/gtest.h>

#include "pgsql/pool/connection_pool.h"
#include "tests/pgsql/pool/silence_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

constexpr Duration kUsual = milliseconds(2);
constexpr int kWindow = static_cast<int>(UsualWait::kWindow);

class Hedge : public SilenceWorld {
 protected:
  using Table = std::shared_ptr<TableBinding>;

  // As the table loader makes it.
  static Table Hedging(std::int64_t percent, Table table = nullptr) {
    if (table == nullptr) {
      table = PoolWorld::Table("SELECT h FROM t WHERE k = '%s'", WriteClass::kReads);
    }
    table->settings.hedge_percent = percent;
    table->usual_wait = UsualWait(percent);
    return table;
  }
  // So many lookups, one after the other, each answered after that time by whoever has it; where
  // two have it, by the second one first.
  void Lookups(const Table& table, int count, Duration taken = kUsual) {
    for (int i = 0; i < count; ++i) {
      const ClientPointer client = Look("k", table);
      world->Turn();
      first = Busy();
      ASSERT_NE(first, nullptr);
      world->Pass(taken);
      for (auto* upstream : world->Open()) {
        if (upstream != first) upstream->AnswerEverything("v");
      }
      first->AnswerEverything("v");
      world->Turn();
      ASSERT_EQ(client->value, "v");
    }
  }
  // A lookup that has not been answered so far.
  ClientPointer LookFor(const Table& table, Duration time) {
    const ClientPointer client = Look("slow", table);
    world->Turn();
    first = Busy();
    EXPECT_NE(first, nullptr);
    world->Pass(time);
    return client;
  }
  fakes::ScriptedUpstream* Other() const { return Busy(1 - first->host()); }
  std::uint64_t Hedged() const { return world->pool->counters().hedged; }
};

TEST_F(Hedge, TheClockIsLookedAtOftenOnlyWhileSomethingMayBeAskedTwice) {
  Open(PoolWorld::Hosts(2));
  for (const Table& table : {Hedging(5), world->reads}) {
    const ClientPointer client = Look("k", table);
    world->Turn();
    Busy()->AnswerEverything("v");
    EXPECT_EQ(client->value, "v");
    world->Pass(milliseconds(100));
    const std::uint64_t before = world->loop.readings();
    world->Pass(std::chrono::seconds(2));
    EXPECT_LT(world->loop.readings() - before, 1000U);
  }
}

TEST_F(Hedge, ALookupThatTakesLongerThanUsualIsAskedOfTheOtherHostAndNotBefore) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  const auto client = LookFor(table, kUsual);
  EXPECT_EQ(Other(), nullptr);
  EXPECT_EQ(Hedged(), 0U);
  world->Pass(milliseconds(1));
  second = Other();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->oldest()->sql, first->oldest()->sql);
  EXPECT_EQ(Hedged(), 1U);
  second->Answer("other");
  EXPECT_EQ(client->value, "other");
  world->Pass(milliseconds(50));
  EXPECT_EQ(first->cancels(), 0);
  first->Answer("late");
  EXPECT_EQ(client->answers, 1);
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Hedge, NothingIsAskedTwiceWithinAMillisecondHoweverQuickIsUsual) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow, Duration::zero());
  const ClientPointer first_one = Look("1", table);
  world->Pass(std::chrono::microseconds(500));
  const ClientPointer second_one = Look("2", table);
  world->Pass(std::chrono::microseconds(500));
  EXPECT_EQ(Hedged(), 1U);
  for (int i = 0; i < 2; ++i) {
    for (auto* upstream : world->Open()) upstream->AnswerEverything("v");
    world->Turn();
  }
  EXPECT_EQ(first_one->value, "v");
  EXPECT_EQ(second_one->value, "v");
}

TEST_F(Hedge, TheFirstHostMayStillWin) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  const auto client = LookFor(table, 2 * kUsual);
  second = Other();
  ASSERT_NE(second, nullptr);
  first->Answer("first");
  EXPECT_EQ(client->value, "first");
  second->Answer("second");
  EXPECT_EQ(client->answers, 1);
  EXPECT_TRUE(world->pool->Idle());
}

TEST_F(Hedge, NothingIsUnusualBeforeAThousandWereAnswered) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(100);
  Lookups(table, kWindow - 1);
  LookFor(table, milliseconds(500));
  EXPECT_EQ(Other(), nullptr);
  first->Answer("the thousandth");
  LookFor(table, 2 * kUsual);
  EXPECT_NE(Other(), nullptr);
  EXPECT_EQ(Hedged(), 1U);
}

TEST_F(Hedge, OfADatabaseThatBecomesSlowAsAWholeFewLookupsAreAskedTwice) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  ASSERT_EQ(Hedged(), 0U);
  constexpr int kSlow = kWindow - 100;  // before the slow ones are what is usual
  const std::uint64_t statements = world->pool->counters().statements;
  Lookups(table, kSlow, 5 * kUsual);
  const double share = kSlow * 5 / 100;
  EXPECT_GE(static_cast<double>(Hedged()), share);
  EXPECT_LE(static_cast<double>(Hedged()), share + UsualWait::kMostTokens);
  EXPECT_EQ(world->pool->counters().statements - statements, kSlow + Hedged());
}

// The first host answers first, the second one's answer comes when nobody waits for it.
TEST_F(Hedge, AnAnswerThatNobodyWaitsForPaysForNothing) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(50);
  Lookups(table, kWindow);
  constexpr int kSlow = 400;
  for (int i = 0; i < kSlow; ++i) {
    const ClientPointer client = LookFor(table, 5 * kUsual);
    first->AnswerEverything("first");
    world->Turn();
    AnswerAll("second");
    ASSERT_EQ(client->value, "first");
  }
  EXPECT_LE(static_cast<double>(Hedged()), kSlow * 0.5 + UsualWait::kMostTokens);
}

TEST_F(Hedge, WhatTheWholeTableTakesIsUsualSoonAndNotAskedTwice) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(100);
  Lookups(table, kWindow);
  Lookups(table, kWindow, 5 * kUsual);
  const std::uint64_t before = Hedged();
  EXPECT_GT(before, 0U);
  Lookups(table, 100, 5 * kUsual);
  EXPECT_EQ(Hedged(), before);
}

TEST_F(Hedge, ASingleHostIsNotAskedTwice) {
  Open(PoolWorld::Hosts(1));
  const Table table = Hedging(100);
  Lookups(table, kWindow);
  const std::uint64_t statements = world->pool->counters().statements;
  LookFor(table, milliseconds(500));
  EXPECT_EQ(Hedged(), 0U);
  EXPECT_EQ(world->pool->counters().statements, statements + 1);
}

TEST_F(Hedge, WhatMayWriteAndScriptsAreNeverAskedTwice) {
  Open(PoolWorld::Hosts(2));
  const auto volatile_function = PoolWorld::Table("SELECT f('%s')", WriteClass::kMayWrite);
  const auto not_known = PoolWorld::Table("SELECT g('%s')", WriteClass::kAsking);
  const auto reading_script = PoolWorld::Table("SELECT 1; SELECT '%s'", WriteClass::kReads);
  int number = 0;
  for (const Table& table :
       {world->writes, world->script, volatile_function, not_known, reading_script}) {
    SCOPED_TRACE(++number);
    Hedging(100, table);
    Lookups(table, kWindow);
    const auto client = LookFor(table, milliseconds(500));
    EXPECT_EQ(Other(), nullptr);
    first->Answer("v");
    EXPECT_EQ(client->value, "v");
    world->Turn();
  }
  EXPECT_EQ(Hedged(), 0U);
}

TEST_F(Hedge, ATableWithoutAPercentageIsNotAskedTwiceBesidesOneThatHasIt) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(100);
  Lookups(table, kWindow);
  Lookups(world->reads, kWindow);
  const auto other = Look("with", table);
  const auto client = Look("without", world->reads);
  world->Turn();
  const std::uint64_t statements = world->pool->counters().statements;
  world->Pass(milliseconds(500));
  EXPECT_EQ(Hedged(), 1U);
  EXPECT_EQ(world->pool->counters().statements, statements + 1);
}

TEST_F(Hedge, NoConnectionIsClosedForIt) {
  auto options = PoolWorld::Hosts(2);
  options.settings.hosts_policy = config::HostsPolicy::kSticky;
  options.settings.connections = 2;
  Open(options);
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  const auto client = LookFor(table, milliseconds(500));
  const std::size_t other = 1 - first->host();
  ASSERT_EQ(world->factory.OpenTo(first->host()).size(), 2U);
  EXPECT_EQ(world->factory.made_to(other), 0);
  EXPECT_EQ(world->factory.made(), 2);
  EXPECT_EQ(Hedged(), 0U);
  // With room for one more there is.
  options.settings.connections = 3;
  world->pool->SetSettings(options.settings);
  world->Pass(milliseconds(2));
  EXPECT_EQ(world->factory.made_to(other), 1);
  EXPECT_EQ(Hedged(), 1U);
  second = Other();
  ASSERT_NE(second, nullptr);
  second->Answer("other");
  EXPECT_EQ(client->value, "other");
}

TEST_F(Hedge, WithoutRoomAHostThatHasAConnectionIsAsked) {
  auto options = PoolWorld::Hosts(2);
  options.settings.connections = 2;
  Open(options);
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  LookFor(table, 2 * kUsual);
  EXPECT_NE(Other(), nullptr);
  EXPECT_EQ(world->factory.made(), 2);
}

TEST_F(Hedge, WhatWasAskedTwiceForItIsNotAskedAgainForASilence) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow);
  const std::uint64_t statements = world->pool->counters().statements;
  LookFor(table, kStall);
  EXPECT_EQ(Hedged(), 1U);
  EXPECT_EQ(world->pool->counters().stalled, 0U);
  EXPECT_EQ(world->pool->counters().statements, statements + 2);
}

TEST_F(Hedge, ASilenceIsCountedByItself) {
  Open(PoolWorld::Hosts(2));
  const Table table = Hedging(5);
  Lookups(table, kWindow - 1);  // nothing is unusual yet
  LookFor(table, kStall);
  EXPECT_NE(Other(), nullptr);
  EXPECT_EQ(Hedged(), 0U);
  EXPECT_EQ(world->pool->counters().stalled, 1U);
}

}  // namespace
}  // namespace proxymux::pgsql
