// When processes and connections come, and when they go.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "proxy/relay/stock_scheduler.h"
#include "tests/proxy/relay/stock_scheduler_world.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = StockAction::Kind;
using RequestId = StockScheduler::RequestId;
using World = SchedulerWorld;

TEST(StockScheduler, NothingIsStartedBeforeTheFirstRequest) {
  World world(SpawnPolicy(10));
  EXPECT_TRUE(world.scheduler.TakeActions().empty());
  EXPECT_FALSE(world.scheduler.NextDeadline().has_value());
}

TEST(StockScheduler, BurstStartsTwoProcessesAtOnceNotOneForEach) {
  World world(SpawnPolicy(10));
  for (int i = 0; i < 50; ++i) world.Ask("unix:passwd.byname");
  EXPECT_EQ(world.Took(Kind::kSpawn), 2u);
}

TEST(StockScheduler, ProcessThatEndsInsteadOfAcceptingIsReplacedBehindTheSameConnection) {
  World world(SpawnPolicy(1));
  world.Ask("texthash:/t");
  world.Greet(0);
  world.Reply(0);
  world.Pass(seconds(2));  // older than connection_ttl: the next request connects again
  const RequestId id = world.Ask("texthash:/t");
  EXPECT_EQ(world.Took(Kind::kConnect), 2u);
  world.Took(Kind::kSpawn);
  world.Took(Kind::kDisconnect);
  world.End(0);  // "table has changed -- restarting"
  EXPECT_EQ(world.Took(Kind::kSpawn), 1u);
  EXPECT_EQ(world.Took(Kind::kDisconnect), 0u);
  world.Greet(0);
  EXPECT_EQ(world.Reply(0), id);
  EXPECT_EQ(world.scheduler.Status().restarts, 1u);
}

TEST(StockScheduler, ProcessesThatEndAtOnceAreNotStartedOverAndOver) {
  World world(SpawnPolicy(10));
  const RequestId id = world.Ask("unix:passwd.byname");
  std::size_t starts = world.Took(Kind::kSpawn);
  const auto begin = world.now;
  while (world.FailureOf(id).empty() && world.now - begin < seconds(20)) {
    world.End(0);
    world.Pass(milliseconds(100));
    starts += world.Took(Kind::kSpawn);
  }
  EXPECT_NE(world.FailureOf(id).find("exit status 1"), std::string::npos) << world.FailureOf(id);
  EXPECT_EQ(starts, 3u);
  // While it is blocked, requests fail at once; later one start is tried again.
  const RequestId next = world.Ask("unix:passwd.byname");
  EXPECT_NE(world.FailureOf(next), "");
  EXPECT_EQ(world.Took(Kind::kSpawn), 0u);
  world.Pass(seconds(10));
  const RequestId later = world.Ask("unix:passwd.byname");
  EXPECT_EQ(world.Took(Kind::kSpawn), 1u);
  world.Greet(0);
  EXPECT_EQ(world.Reply(0), later);
}

TEST(StockScheduler, RequestThatKillsEveryProcessFailsAfterTwo) {
  World world(SpawnPolicy(1));
  const RequestId poison = world.Ask("unix:passwd.byname", SequenceStep::kFirst);
  for (int round = 0; round < 2; ++round) {
    world.Greet(0);
    world.Close(0);
    world.End(0);
    world.Pass(milliseconds(150));
  }
  EXPECT_NE(world.FailureOf(poison), "");
  EXPECT_EQ(world.Took(Kind::kSpawn), 2u);
  const RequestId good = world.Ask("unix:passwd.byname");
  world.Pass(milliseconds(150));
  EXPECT_EQ(world.FailureOf(good), "");
  world.Greet(0);
  EXPECT_EQ(world.Reply(0), good);
}

TEST(StockScheduler, StuckProcessIsTerminatedThenKilledAndItsRequestFails) {
  StockPolicy policy = SpawnPolicy(1);
  policy.request_timeout = seconds(10);
  World world(policy);
  const RequestId id = world.Ask("ldap:slow");
  world.Greet(0);
  world.Pass(milliseconds(9999));
  EXPECT_EQ(world.FailureOf(id), "");
  world.Pass(milliseconds(1));
  EXPECT_NE(world.FailureOf(id).find("timed out"), std::string::npos);
  EXPECT_EQ(world.Took(Kind::kTerminate), 1u);
  world.Pass(policy.term_grace);
  EXPECT_EQ(world.Took(Kind::kKill), 1u);
  world.End(0);
  EXPECT_EQ(world.scheduler.Status().processes, 0);
  EXPECT_FALSE(world.scheduler.NextDeadline().has_value());
}

TEST(StockScheduler, IdleConnectionIsClosedThenTheIdleProcessIsAskedToEnd) {
  World world(SpawnPolicy(10));
  world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Reply(0);
  world.Pass(seconds(5));
  EXPECT_EQ(world.Took(Kind::kDisconnect), 1u);
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 0u);
  world.Pass(seconds(55));
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 1u);
  world.End(0);
  EXPECT_EQ(world.Took(Kind::kRelease), 1u);
  EXPECT_EQ(world.Took(Kind::kTerminate), 0u);
  EXPECT_EQ(world.scheduler.Status().restarts, 0u);
}

TEST(StockScheduler, ProcessThatDoesNotEndWhenAskedIsTerminated) {
  StockPolicy policy = SpawnPolicy(10);
  World world(policy);
  world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Reply(0);
  world.Pass(policy.process_idle);
  world.Pass(policy.ask_grace);
  EXPECT_EQ(world.Took(Kind::kTerminate), 1u);
  world.Pass(policy.term_grace);
  EXPECT_EQ(world.Took(Kind::kKill), 1u);
  EXPECT_EQ(world.scheduler.Status().kills, 1u);
}

TEST(StockScheduler, ProcessThatNeverGreetsIsTerminated) {
  StockPolicy policy = SpawnPolicy(1);
  World world(policy);
  world.Ask("unix:passwd.byname");
  world.Pass(policy.greeting_timeout);
  EXPECT_EQ(world.Took(Kind::kTerminate), 1u);
}

TEST(StockScheduler, DrainEndsWhatIsIdleAndStillAnswers) {
  World world(SpawnPolicy(2));
  const RequestId id = world.Ask("ldap:slow");
  world.Greet(0);
  world.scheduler.Drain(world.now);
  world.Take();
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 0u);
  EXPECT_EQ(world.Reply(0), id);
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 1u);
  EXPECT_EQ(world.Took(Kind::kTerminate), 0u);
}

TEST(StockScheduler, StopEndsEverythingAndFailsWhatIsOutstanding) {
  World world(SpawnPolicy(3));
  const auto running = world.Occupy(2);
  world.Reply(1);
  const RequestId waiting = world.Ask("ldap:slow0");  // slot 1, so that one runs and
  const RequestId queued = world.Ask("ldap:slow0");   // one waits
  world.scheduler.Stop(world.now);
  world.Take();
  EXPECT_NE(world.FailureOf(running[0]), "");
  EXPECT_NE(world.FailureOf(waiting), "");
  EXPECT_NE(world.FailureOf(queued), "");
  EXPECT_FALSE(world.scheduler.Stopped());
  for (std::size_t slot = 0; slot < 3; ++slot) world.End(slot);
  EXPECT_TRUE(world.scheduler.Stopped());
  EXPECT_NE(world.FailureOf(world.Ask("unix:passwd.byname")), "");
}

TEST(StockScheduler, NewPolicyReplacesProcessesAsTheyBecomeFree) {
  World world(SpawnPolicy(3));
  const auto running = world.Occupy(2);
  world.Reply(1);
  world.scheduler.SetPolicy(SpawnPolicy(1), world.now);
  world.Take();
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 1u);
  world.End(1);
  EXPECT_EQ(world.Reply(0), running[0]);
  EXPECT_EQ(world.Took(Kind::kAskToEnd), 1u);
  world.End(0);
  world.Took(Kind::kSpawn);
  world.Ask("unix:passwd.byname");
  world.Ask("unix:group.byname");
  EXPECT_EQ(world.Took(Kind::kSpawn), 1u);
}

TEST(StockScheduler, IdleServiceConnectionIsClosed) {
  World world(ServicePolicy(10));
  world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Reply(0);
  world.Pass(seconds(5));
  EXPECT_EQ(world.Took(Kind::kDisconnect), 1u);
  EXPECT_EQ(world.scheduler.Status().processes, 0);
  EXPECT_FALSE(world.scheduler.NextDeadline().has_value());
}

}  // namespace
}  // namespace proxymux::proxy
