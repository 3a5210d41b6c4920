// Attempts to connect that hang: when another one is made, and which is given up for it.
#include <gtest/gtest.h>

#include "pgsql/policy/connection_budget.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BesideHangingTest : public PolicyWorld {
 protected:
  static constexpr std::size_t kLimit = 3;

  BesideHangingTest() {
    Down(0);
    Down(1);
    hosts.SetOutageWait(seconds(5));
    hosts.LookForOutage(now);
  }
  PoolConnection& Hanging(std::size_t host) {
    ++hosts[host].connecting;
    connections.push_back(
        std::make_unique<PoolConnection>(connections.size() + 1, host, now, nullptr));
    return *connections.back();
  }
  ConnectionBudget::AnotherAttempt Another(std::size_t host = 0) const {
    return ConnectionBudget::BesideHanging(View(), host, kLimit);
  }
};

TEST_F(BesideHangingTest, AfterAWhileThereIsAnotherAttempt) {
  EXPECT_FALSE(Another().due) << "the first one is the probe's";
  Hanging(0);
  EXPECT_FALSE(Another().due);
  now += milliseconds(49);
  EXPECT_FALSE(Another().due);
  now += milliseconds(1);
  EXPECT_TRUE(Another().due);
  EXPECT_EQ(Another().in_place_of, nullptr);
  EXPECT_FALSE(Another(1).due) << "there is none that hangs";
  Hanging(0);
  EXPECT_FALSE(Another().due) << "one has just begun";
}

// The machine is back, its server is not: what comes now is refused at once.
TEST_F(BesideHangingTest, WhereALaterOneFailsTheBackOffIsKept) {
  Hanging(0);
  now += milliseconds(60);
  ASSERT_TRUE(Another().due);
  Down(0);
  EXPECT_FALSE(Another().due);
  now = hosts[0].health.retry_at();
  EXPECT_TRUE(Another().due);
}

// A network that has become slow is no reason to give up what is about to come: the oldest stays.
TEST_F(BesideHangingTest, WhereThereIsRoomForNoMoreTheSecondMakesRoomWhenItIsHopeless) {
  Hanging(0);
  now += milliseconds(50);
  PoolConnection& second = Hanging(0);
  now += seconds(3);
  EXPECT_FALSE(Another().due) << "it is not known how long that takes";
  hosts[0].connect_time.OnConnected(milliseconds(500), /*in_doubt=*/false);
  EXPECT_TRUE(Another().due);
  EXPECT_EQ(Another().in_place_of, &second);
  hosts[0].connect_time.OnConnected(milliseconds(751), /*in_doubt=*/false);
  EXPECT_FALSE(Another().due);
  hosts[0].connect_time.OnConnected(milliseconds(750), /*in_doubt=*/false);
  EXPECT_TRUE(Another().due);
}

TEST_F(BesideHangingTest, WhereThereIsRoomForOneEachIsWaitedForLongerThanTheOneBefore) {
  hosts[0].connect_time.OnConnected(milliseconds(1), /*in_doubt=*/false);
  hosts[1].connecting = 1;
  for (const int longest : {400, 800, 1600}) {
    PoolConnection& only = Hanging(0);
    const Time begun = now;
    while (!ConnectionBudget::BesideHanging(View(), 0, 1).due) now += milliseconds(1);
    EXPECT_EQ(ConnectionBudget::BesideHanging(View(), 0, 1).in_place_of, &only);
    EXPECT_GE(now - begun, milliseconds(400));
    EXPECT_LE(now - begun, milliseconds(longest));
    only.SetPhase(Phase::kClosed);
  }
  const Time begun = now;
  Hanging(0);
  while (!ConnectionBudget::BesideHanging(View(), 0, 1).due) now += milliseconds(1);
  EXPECT_GT(now - begun, milliseconds(1000));
}

TEST_F(BesideHangingTest, RoomIsKeptForAHostThatIsAboutToBeTried) {
  Hanging(0);
  Hanging(0);
  now += milliseconds(50);
  EXPECT_FALSE(Another().due);
  hosts[1].connecting = 1;
  EXPECT_TRUE(Another().due);
  hosts[1].connecting = 0;
  EXPECT_FALSE(Another().due);
  for (int i = 0; i < 5; ++i) {
    hosts[1].health.OnFailed(now, HostHealth::FailureKind::kRefused, "password", &random);
  }
  EXPECT_TRUE(Another().due);
}

TEST_F(BesideHangingTest, ThePatienceGrowsSlowerWhereHostsTakeTurns) {
  hosts[0].connect_time.OnConnected(milliseconds(1), /*in_doubt=*/false);
  now += seconds(4);
  Hanging(0);
  now += milliseconds(1333);
  EXPECT_FALSE(ConnectionBudget::BesideHanging(View(), 0, 1).due);
  now += milliseconds(1);
  EXPECT_TRUE(ConnectionBudget::BesideHanging(View(), 0, 1).due);
  hosts[1].connecting = 1;
  EXPECT_FALSE(ConnectionBudget::BesideHanging(View(), 0, 1).due) << "nobody waits for its turn";
}

TEST_F(BesideHangingTest, AQuickHostIsGivenAWhileAllTheSame) {
  hosts[0].connect_time.OnConnected(milliseconds(1), /*in_doubt=*/false);
  Hanging(0);
  Hanging(0);
  now += milliseconds(199);
  EXPECT_FALSE(Another().due);
  now += milliseconds(1);
  EXPECT_TRUE(Another().due);
}

// One of them is to be made soon after the host is back.
TEST_F(BesideHangingTest, WhereOneMakesRoomAttemptsAreSpread) {
  hosts[0].connect_time.OnConnected(milliseconds(1), /*in_doubt=*/false);
  hosts[1].connecting = 1;
  PoolConnection* hanging[kLimit];
  for (PoolConnection*& attempt : hanging) {
    attempt = &Hanging(0);
    now += milliseconds(133);
    EXPECT_FALSE(Another().due);
    now += milliseconds(1);
    EXPECT_TRUE(Another().due);
  }
  EXPECT_EQ(Another().in_place_of, hanging[1]);
}

TEST_F(BesideHangingTest, NobodyWaitsAnyMore) {
  Hanging(0);
  now += seconds(6);
  hosts.LookForOutage(now);
  EXPECT_FALSE(Another().due);
}

// What hung until the host was back.
TEST_F(BesideHangingTest, AnAttemptThatALaterOneHasOvertakenIsClosedWhenItIsHopeless) {
  PoolConnection& hanging = Hanging(0);
  EXPECT_FALSE(ConnectionBudget::Overtaken(View(), hanging));
  PoolConnection& made = Open(0);
  PoolConnection& later = Hanging(0);
  PoolConnection& elsewhere = Hanging(1);
  EXPECT_FALSE(ConnectionBudget::Overtaken(View(), hanging)) << "it has not answered";
  made.answered = now;
  EXPECT_TRUE(ConnectionBudget::Overtaken(View(), hanging));
  EXPECT_FALSE(ConnectionBudget::Overtaken(View(), later));
  EXPECT_FALSE(ConnectionBudget::Overtaken(View(), elsewhere));
  now += seconds(1);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), hanging))
      << "it is not known how long that takes";
  hosts[0].connect_time.OnConnected(milliseconds(125), /*in_doubt=*/false);
  EXPECT_TRUE(ConnectionBudget::Hopeless(View(), hanging));
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), later));
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), made));
  hosts[0].connect_time.OnConnected(milliseconds(126), /*in_doubt=*/false);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), hanging));
  hosts[0].connect_time.OnConnected(milliseconds(1), /*in_doubt=*/false);
  now -= milliseconds(601);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), hanging)) << "it has begun just now";
  now += milliseconds(1);
  EXPECT_TRUE(ConnectionBudget::Hopeless(View(), hanging));
  made.SetPhase(Phase::kClosed);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), hanging));
}

// Another host serves, or lookups wait no longer: what hangs takes no room from that.
TEST_F(BesideHangingTest, AfterTheOutageOneAttemptIsEnough) {
  PoolConnection& first = Hanging(0);
  PoolConnection& second = Hanging(0);
  PoolConnection& elsewhere = Hanging(1);
  now += milliseconds(250);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), second)) << "lookups wait for them";
  hosts[1].health.OnConnected(now);
  hosts[1].health.OnAnswered(now, now);
  hosts.LookForOutage(now);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), first));
  EXPECT_TRUE(ConnectionBudget::Hopeless(View(), second));
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), elsewhere));
  now -= milliseconds(1);
  EXPECT_FALSE(ConnectionBudget::Hopeless(View(), second)) << "it may still come";
}

}  // namespace
}  // namespace proxymux::pgsql
