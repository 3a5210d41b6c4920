// Sequences, which have a position in a process and so lease it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "proxy/relay/stock_scheduler.h"
#include "tests/proxy/relay/stock_scheduler_world.h"

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = StockAction::Kind;
using RequestId = StockScheduler::RequestId;
using World = SchedulerWorld;

TEST(StockScheduler, SequenceStaysWithItsConnectionHoweverOldThatBecomes) {
  World world(ServicePolicy(4));
  const auto lease = world.scheduler.OpenLease();
  const RequestId first = world.Ask("hash:/t", SequenceStep::kFirst, lease);
  world.Greet(0);
  EXPECT_EQ(world.Reply(0), first);
  for (int i = 0; i < 5; ++i) {
    world.Pass(seconds(3));  // longer than connection_ttl, shorter than lease_idle
    const RequestId other = world.Ask("unix:passwd.byname");
    if (!world.SlotOf(other).has_value()) world.Greet(1);
    EXPECT_EQ(world.SlotOf(other), 1u) << "a lookup must not take the leased connection";
    world.Reply(1);
    const RequestId next = world.Ask("hash:/t", SequenceStep::kNext, lease);
    EXPECT_EQ(world.SlotOf(next), 0u);
    EXPECT_EQ(world.Reply(0), next);
  }
}

TEST(StockScheduler, NextFailsWhenThePositionIsLost) {
  World world(ServicePolicy(4));
  const auto lease = world.scheduler.OpenLease();
  EXPECT_NE(world.FailureOf(world.Ask("hash:/t", SequenceStep::kNext, lease)), "");
  EXPECT_NE(world.FailureOf(world.Ask("hash:/t", SequenceStep::kNext)), "");
  world.Ask("hash:/t", SequenceStep::kFirst, lease);
  world.Greet(0);
  world.Reply(0);
  const RequestId cut = world.Ask("hash:/t", SequenceStep::kNext, lease);
  world.Close(0);
  EXPECT_NE(world.FailureOf(cut).find("without a reply"), std::string::npos)
      << "a repeated `next` would skip or repeat an element: " << world.FailureOf(cut);
  EXPECT_NE(world.FailureOf(world.Ask("hash:/t", SequenceStep::kNext, lease)), "");
  EXPECT_EQ(world.scheduler.Status().leases, 0);
}

TEST(StockScheduler, IdleLeaseIsGivenUp) {
  StockPolicy policy = ServicePolicy(2);
  World world(policy);
  const auto lease = world.scheduler.OpenLease();
  world.Ask("hash:/t", SequenceStep::kFirst, lease);
  world.Greet(0);
  world.Reply(0);
  EXPECT_EQ(world.scheduler.Status().leases, 1);
  world.Pass(policy.lease_idle);
  EXPECT_EQ(world.scheduler.Status().leases, 0);
}

TEST(StockScheduler, LeasesCannotStarveLookups) {
  World world(ServicePolicy(2));
  const auto lease = world.scheduler.OpenLease();
  world.Ask("hash:/t", SequenceStep::kFirst, lease);
  world.Greet(0);
  world.Reply(0);
  // Half of the slots are leased: the next lease waits, though a slot is free.
  const auto second = world.scheduler.OpenLease();
  const RequestId waiting = world.Ask("hash:/t", SequenceStep::kFirst, second);
  EXPECT_FALSE(world.SlotOf(waiting).has_value());
  // The free slot is taken by a slow lookup; the next lookup may use the leased connection between
  // two `next`.
  world.Ask("ldap:slow");
  world.Greet(1);
  const RequestId quick = world.Ask("unix:passwd.byname");
  EXPECT_EQ(world.SlotOf(quick), 0u);
  EXPECT_EQ(world.Reply(0), quick);
  EXPECT_EQ(world.scheduler.Status().leases, 1);
  // The first lease ends, the second gets its turn.
  world.scheduler.CloseLease(lease, world.now);
  world.Take();
  EXPECT_EQ(world.SlotOf(waiting), 0u);
}

}  // namespace
}  // namespace proxymux::proxy
