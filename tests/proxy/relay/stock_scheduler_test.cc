// Which process gets which request, and what becomes of requests that wait or are cut off.
#include "proxy/relay/stock_scheduler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "tests/proxy/relay/stock_scheduler_world.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = StockAction::Kind;
using RequestId = StockScheduler::RequestId;
using World = SchedulerWorld;

TEST(StockScheduler, FirstRequestStartsOneProcessAndIsSentAfterTheGreeting) {
  World world(SpawnPolicy(10));
  const RequestId id = world.Ask("unix:passwd.byname");
  EXPECT_EQ(world.Took(Kind::kSpawn), 1u);
  EXPECT_EQ(world.Took(Kind::kConnect), 1u);
  EXPECT_FALSE(world.SlotOf(id).has_value());
  world.Greet(0);
  EXPECT_EQ(world.SlotOf(id), 0u);
  EXPECT_EQ(world.Reply(0), id);
  EXPECT_EQ(world.scheduler.Status().replies, 1u);
  // The next one finds it ready.
  EXPECT_EQ(world.SlotOf(world.Ask("unix:passwd.byname")), 0u);
  EXPECT_EQ(world.Took(Kind::kSpawn), 0u);
  EXPECT_EQ(world.scheduler.Status().requests, 2u);
}

TEST(StockScheduler, ProcessIsGivenOneRequestAtATime) {
  World world(SpawnPolicy(1));
  const RequestId first = world.Ask("unix:passwd.byname");
  const RequestId second = world.Ask("unix:group.byname");
  world.Greet(0);
  EXPECT_EQ(world.Took(Kind::kSend), 1u);
  EXPECT_EQ(world.Reply(0), first);
  EXPECT_EQ(world.Took(Kind::kSend), 1u);
  EXPECT_EQ(world.Reply(0), second);
}

TEST(StockScheduler, SlowTableLeavesRoomForOthers) {
  World world(SpawnPolicy(4));
  for (int i = 0; i < 20; ++i) world.Ask("ldap:slow");
  for (std::size_t slot = 0; slot < 4; ++slot) world.Greet(slot);
  world.Pass(milliseconds(50));
  EXPECT_EQ(world.scheduler.Status().busy, 2);
  const RequestId quick = world.Ask("unix:passwd.byname");
  if (!world.SlotOf(quick).has_value()) world.Greet(2);
  ASSERT_TRUE(world.SlotOf(quick).has_value());
  EXPECT_EQ(world.Reply(*world.SlotOf(quick)), quick);
  EXPECT_EQ(world.scheduler.Status().queued, 18);
}

TEST(StockScheduler, AbandonedRequestKeepsItsSlotUntilTheReplyIsThrownAway) {
  World world(SpawnPolicy(1));
  const RequestId gone = world.Ask("ldap:slow");
  world.Greet(0);
  world.scheduler.Abandon(gone, world.now);
  const RequestId next = world.Ask("unix:passwd.byname");
  EXPECT_FALSE(world.SlotOf(next).has_value());
  EXPECT_EQ(world.Reply(0), std::nullopt);
  EXPECT_EQ(world.SlotOf(next), 0u);
  EXPECT_EQ(world.Reply(0), next);
}

TEST(StockScheduler, AbandonedWhileWaitingIsNeverSent) {
  World world(SpawnPolicy(1));
  const RequestId gone = world.Ask("unix:passwd.byname");
  world.scheduler.Abandon(gone, world.now);
  world.Take();
  world.Greet(0);
  EXPECT_EQ(world.Took(Kind::kSend), 0u);
  EXPECT_EQ(world.Took(Kind::kFail), 0u);
}

TEST(StockScheduler, EndWithoutAByteOfTheReplyIsRepeatedOnce) {
  World world(ServicePolicy(2));
  const RequestId id = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Close(0);
  EXPECT_EQ(world.FailureOf(id), "");
  world.Greet(0);
  EXPECT_EQ(world.SlotOf(id), 0u);
  world.Close(0);
  EXPECT_NE(world.FailureOf(id), "");
  EXPECT_EQ(world.scheduler.Status().failures, 1u);
}

TEST(StockScheduler, WhatNobodyWaitsForIsNotRepeated) {
  World world(ServicePolicy(2));
  const RequestId gone = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.scheduler.Abandon(gone, world.now);
  world.Took(Kind::kConnect);
  world.Close(0);
  EXPECT_EQ(world.Took(Kind::kConnect), 0u);
  EXPECT_EQ(world.scheduler.Status().queued, 0);
  EXPECT_EQ(world.FailureOf(gone), "");
}

TEST(StockScheduler, EndInTheMiddleOfAReplyFailsTheRequest) {
  World world(ServicePolicy(2));
  const RequestId id = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Close(0, true);
  EXPECT_NE(world.FailureOf(id).find("middle of a reply"), std::string::npos);
}

TEST(StockScheduler, ReplyReadAfterTheProcessWasSeenToEndStillCounts) {
  World world(SpawnPolicy(1));
  const RequestId id = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.End(0);
  EXPECT_EQ(world.FailureOf(id), "");
  EXPECT_EQ(world.Reply(0), id);
  EXPECT_EQ(world.scheduler.Status().processes, 0);
}

TEST(StockScheduler, WaitingRequestsTimeOutToo) {
  StockPolicy policy = SpawnPolicy(1);
  policy.request_timeout = seconds(10);
  World world(policy);
  world.Ask("ldap:slow");
  world.Greet(0);
  world.Pass(seconds(1));
  const RequestId waiting = world.Ask("ldap:slow");
  world.Pass(milliseconds(9999));
  EXPECT_EQ(world.SlotOf(waiting), std::nullopt);
  EXPECT_EQ(world.FailureOf(waiting), "");
  world.Pass(milliseconds(1));
  EXPECT_NE(world.FailureOf(waiting).find("timed out"), std::string::npos);
}

TEST(StockScheduler, QueueIsBounded) {
  StockPolicy policy = SpawnPolicy(1);
  policy.queue_limit = 3;
  World world(policy);
  for (int i = 0; i < 3; ++i) world.Ask("unix:passwd.byname");
  EXPECT_NE(world.FailureOf(world.Ask("unix:passwd.byname")).find("too many"), std::string::npos);
}

TEST(StockScheduler, ServiceThatCannotBeReachedFailsRequestsSoon) {
  World world(ServicePolicy(10));
  const RequestId id = world.Ask("unix:passwd.byname");
  for (int i = 0; i < 3; ++i) {
    world.Close(0);
    world.Pass(milliseconds(250));
  }
  EXPECT_NE(world.FailureOf(id).find("cannot be reached"), std::string::npos);
  EXPECT_EQ(world.Took(Kind::kSpawn), 0u);
}

}  // namespace
}  // namespace proxymux::proxy
