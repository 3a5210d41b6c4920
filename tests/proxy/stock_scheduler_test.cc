#include "proxy/stock_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace proxymux::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = StockAction::Kind;
using RequestId = StockScheduler::RequestId;

StockPolicy SpawnPolicy(std::size_t processes) {
  StockPolicy policy;
  policy.mode = StockMode::kSpawn;
  policy.processes = processes;
  return policy;
}

StockPolicy ServicePolicy(std::size_t connections) {
  StockPolicy policy;
  policy.processes = connections;
  return policy;
}

// A scheduler on virtual time, and what it has asked for.
class World {
 public:
  explicit World(const StockPolicy& policy) : scheduler(policy) {}

  RequestId Ask(const std::string& table, SequenceStep step = SequenceStep::kNone,
                StockScheduler::LeaseId lease = StockScheduler::kNoLease) {
    const RequestId id = scheduler.Submit(table, step, lease, now);
    Take();
    return id;
  }
  void Greet(std::size_t slot) {
    scheduler.OnGreeting(slot, now);
    Take();
  }
  std::optional<RequestId> Reply(std::size_t slot) {
    const auto id = scheduler.OnReply(slot, now);
    Take();
    return id;
  }
  void Close(std::size_t slot, bool reply_begun = false) {
    scheduler.OnClosed(slot, reply_begun, "closed", now);
    Take();
  }
  void End(std::size_t slot) {
    scheduler.OnProcessEnded(slot, "exit status 1", now);
    Take();
  }
  // Goes on to the scheduler's own deadlines, as the event loop would, until `by` has passed.
  void Pass(milliseconds by) {
    const auto end = now + by;
    for (int turns = 0; turns < 1000; ++turns) {
      const auto next = scheduler.NextDeadline();
      if (!next.has_value() || *next > end) {
        now = end;
        return;
      }
      now = std::max(now, *next);
      scheduler.OnTime(now);
      Take();
    }
    ADD_FAILURE() << "the deadlines do not move on: the event loop would spin";
  }
  void Take() {
    for (StockAction& action : scheduler.TakeActions()) log.push_back(std::move(action));
  }

  // How often `kind` was asked for since the last call; forgets these.
  std::size_t Took(Kind kind) {
    const auto matches = [kind](const StockAction& action) { return action.kind == kind; };
    const auto count = std::count_if(log.begin(), log.end(), matches);
    log.erase(std::remove_if(log.begin(), log.end(), matches), log.end());
    return static_cast<std::size_t>(count);
  }
  std::optional<std::size_t> SlotOf(RequestId id) {  // by the last kSend
    std::optional<std::size_t> slot;
    for (const StockAction& action : log) {
      if (action.kind == Kind::kSend && action.request == id) slot = action.slot;
    }
    return slot;
  }
  std::string FailureOf(RequestId id) {
    for (const StockAction& action : log) {
      if (action.kind == Kind::kFail && action.request == id) return action.reason;
    }
    return "";
  }
  // Opens slots until `count` requests for different tables run; returns the requests, in slot
  // order.
  std::vector<RequestId> Occupy(std::size_t count) {
    std::vector<RequestId> ids;
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(Ask("ldap:slow" + std::to_string(i)));
      Greet(i);
    }
    return ids;
  }

  StockScheduler scheduler;
  StockScheduler::Time now{std::chrono::hours(1)};
  std::vector<StockAction> log;
};

TEST(StockScheduler, NothingIsStartedBeforeTheFirstRequest) {
  World world(SpawnPolicy(10));
  EXPECT_TRUE(world.scheduler.TakeActions().empty());
  EXPECT_FALSE(world.scheduler.NextDeadline().has_value());
}

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

TEST(StockScheduler, BurstStartsTwoProcessesAtOnceNotOneForEach) {
  World world(SpawnPolicy(10));
  for (int i = 0; i < 50; ++i) world.Ask("unix:passwd.byname");
  EXPECT_EQ(world.Took(Kind::kSpawn), 2u);
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

TEST(StockScheduler, EndInTheMiddleOfAReplyFailsTheRequest) {
  World world(ServicePolicy(2));
  const RequestId id = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.Close(0, true);
  EXPECT_NE(world.FailureOf(id).find("middle of a reply"), std::string::npos);
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

TEST(StockScheduler, ReplyReadAfterTheProcessWasSeenToEndStillCounts) {
  World world(SpawnPolicy(1));
  const RequestId id = world.Ask("unix:passwd.byname");
  world.Greet(0);
  world.End(0);
  EXPECT_EQ(world.FailureOf(id), "");
  EXPECT_EQ(world.Reply(0), id);
  EXPECT_EQ(world.scheduler.Status().processes, 0);
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
  EXPECT_NE(world.FailureOf(cut), "") << "a repeated `next` would skip or repeat an element";
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
