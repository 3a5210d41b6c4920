// What a turn of the pool costs does not grow with what waits, nor with the tables: counted in
// looks at the clock, which the choice of a host or of a connection takes.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/pgsql/pool/pool_world.h"
#include "tests/pgsql/work/tables.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;

using MakeTable = std::function<std::shared_ptr<TableBinding>()>;

std::shared_ptr<TableBinding> Slow() {
  auto table = QuickTable();
  for (int i = 0; i < 10; ++i) table->service_time.Record(milliseconds(200));
  return table;
}

std::shared_ptr<TableBinding> NeverMeasured() {
  auto table = QuickTable();
  table->service_time = {};
  return table;
}

std::shared_ptr<TableBinding> SlowAndOwn() {
  auto table = Slow();
  table->session = SessionUse::kOwnSession;
  return table;
}

struct Cost {
  std::uint64_t turn = 0;  // one lookup more
  std::uint64_t tick = 0;
  bool operator==(const Cost&) const = default;
};

void PrintTo(const Cost& cost, std::ostream* out) {
  *out << cost.turn << " a turn, " << cost.tick << " a tick";
}

// Every connection has as much as it takes, and the rest waits.
// With `outage` no host can be reached, and all of it waits for one.
Cost CostOf(const MakeTable& make, std::size_t table_count, int lookups, bool outage = false) {
  PoolWorld::Options options = PoolWorld::Hosts(2);
  if (outage) options.settings.outage_wait = std::chrono::minutes(1);
  options.settings.connections = 4;
  options.settings.pipeline_depth = 4;
  options.settings.queue_limit = 100000;
  options.settings.stall_limit = {};
  PoolWorld world(options);
  world.OpenAll();
  std::vector<std::shared_ptr<TableBinding>> tables;
  for (std::size_t i = 0; i < table_count; ++i) tables.push_back(make());
  std::vector<ClientPointer> clients;
  for (int i = 0; i < lookups; ++i) clients.push_back(world.Look("k", tables[i % table_count]));
  for (int i = 0; i < 3; ++i) world.Pass(milliseconds(20));
  if (outage) {
    for (std::size_t host = 0; host < 2; ++host) {
      world.factory.SetMood(host, fakes::ScriptedFactory::Mood::kRefuses);
    }
    for (auto* upstream : world.Open()) upstream->Lose("gone", "");
    for (int i = 0; i < 3; ++i) world.Pass(milliseconds(20));
    EXPECT_EQ(world.pool->Gauges().queued, static_cast<std::size_t>(lookups));
  }
  EXPECT_GT(world.pool->Gauges().queued, static_cast<std::size_t>(lookups) / 2);
  Cost cost;
  std::uint64_t before = world.loop.readings();
  clients.push_back(world.Look("k", tables[0]));
  world.loop.EndTurn();
  cost.turn = world.loop.readings() - before;
  before = world.loop.readings();
  world.loop.Advance(milliseconds(20));
  cost.tick = world.loop.readings() - before;
  for (const auto& client : clients) world.Abandon(client);
  return cost;
}

void ExpectNoGrowth(const MakeTable& make) {
  EXPECT_EQ(CostOf(make, 1, 100), CostOf(make, 1, 10000)) << "with what waits";
  EXPECT_EQ(CostOf(make, 20, 200), CostOf(make, 1000, 10000)) << "with the tables";
}

TEST(PoolCost, LookupsThatWaitForAHost) {
  for (const MakeTable& make :
       {MakeTable(QuickTable), MakeTable(OwnSessionTable), MakeTable(Slow)}) {
    EXPECT_EQ(CostOf(make, 1, 100, true), CostOf(make, 1, 10000, true)) << "with what waits";
    EXPECT_EQ(CostOf(make, 20, 200, true), CostOf(make, 1000, 10000, true)) << "with the tables";
  }
}

TEST(PoolCost, QuickLookups) { ExpectNoGrowth(QuickTable); }

TEST(PoolCost, LookupsThatHaveASessionOfTheirOwn) { ExpectNoGrowth(OwnSessionTable); }

TEST(PoolCost, SlowLookups) { ExpectNoGrowth(Slow); }

TEST(PoolCost, LookupsThatWereNeverMeasured) { ExpectNoGrowth(NeverMeasured); }

TEST(PoolCost, SlowLookupsThatHaveASessionOfTheirOwn) { ExpectNoGrowth(SlowAndOwn); }

}  // namespace
}  // namespace proxymux::pgsql
