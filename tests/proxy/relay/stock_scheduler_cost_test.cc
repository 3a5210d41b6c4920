// What an event costs the scheduler does not grow with the requests that wait. Not measured: with a
// walk through all that waits at each event, these would take ten thousand million steps and more,
// and no machine would come to the end of the tests.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/proxy/relay/stock_scheduler_world.h"

namespace proxymux::proxy {
namespace {

constexpr std::size_t kMany = 200'000;

StockPolicy LongQueue() {
  StockPolicy policy = SpawnPolicy(4);
  policy.queue_limit = kMany;
  return policy;
}

TEST(StockSchedulerCost, ManyWaitForOneSlowTableAndGiveUp) {
  SchedulerWorld world(LongQueue());
  world.Occupy(1);
  std::vector<SchedulerWorld::RequestId> waiting;
  for (std::size_t i = 0; i < kMany; ++i) waiting.push_back(world.Ask("ldap:slow0"));
  world.Greet(1);  // the second that the table may have; the last two are kept for others
  EXPECT_EQ(world.SlotOf(waiting[0]), 1u);
  EXPECT_EQ(world.scheduler.Status().queued, static_cast<std::int64_t>(kMany) - 1);
  for (const auto id : waiting) world.scheduler.Abandon(id, world.now);
  EXPECT_EQ(world.scheduler.Status().queued, 0);
}

TEST(StockSchedulerCost, ManyWaitForTwoTablesAndAreAnsweredInTheirOrder) {
  SchedulerWorld world(LongQueue());
  std::vector<SchedulerWorld::RequestId> asked;
  for (std::size_t i = 0; i < kMany; ++i) {
    asked.push_back(world.Ask(i % 2 == 0 ? "ldap:one" : "ldap:two"));
  }
  world.Greet(0);
  world.log.clear();
  for (std::size_t i = 0; i < kMany; ++i) ASSERT_EQ(world.Reply(0), asked[i]) << i;
}

}  // namespace
}  // namespace proxymux::proxy
