// Which connections are replaced for the administrator's sake, and when.
#include "pgsql/policy/connection_renewal.h"

#include <gtest/gtest.h>

#include "pgsql/policy/connection_budget.h"
#include "tests/pgsql/policy/policy_world.h"

namespace proxymux::pgsql {
namespace {

class ConnectionRenewalTest : public PolicyWorld {
 protected:
  // Where there may be no more connections than there are.
  PoolConnection* Next() { return renewal.Next(View(), ConnectionBudget::Open(View())).ends; }
  void End(PoolConnection& connection) { connection.SetPhase(Phase::kClosed); }

  ConnectionRenewal renewal;
};

TEST_F(ConnectionRenewalTest, WhereNobodyAskedNoneIsReplaced) {
  Open();
  EXPECT_EQ(Next(), nullptr);
}

TEST_F(ConnectionRenewalTest, ThoseThatWereThereGoOneAfterTheOther) {
  PoolConnection& busy = Open(0);
  PoolConnection& idle = Open(0);
  Open(1);
  Load(busy, 2);
  EXPECT_EQ(renewal.Begin(View(), 0), 2U);
  ASSERT_EQ(Next(), &idle);
  idle.Drain();
  EXPECT_EQ(Next(), nullptr) << "one is on its way out";
  End(idle);
  Open(0);  // the new one
  ASSERT_EQ(Next(), &busy);
  busy.Drain();
  while (!busy.idle()) busy.OnBack(busy.running());
  End(busy);
  EXPECT_EQ(Next(), nullptr) << "what is left is of the other host, or new";
}

TEST_F(ConnectionRenewalTest, TheNextOneWaitsForTheOneThatIsMadeInItsPlace) {
  Open(0);
  renewal.Begin(View(), 0);
  connections.push_back(
      std::make_unique<PoolConnection>(2, 0, now, std::make_unique<StillUpstream>()));
  EXPECT_EQ(Next(), nullptr);
  connections.back()->SetPhase(Phase::kShared);
  EXPECT_EQ(Next(), connections[0].get());
}

// Nobody gives up a connection that works for one that cannot be made.
TEST_F(ConnectionRenewalTest, AHostThatCannotBeConnectedToKeepsWhatItHas) {
  PoolConnection& there = Open(0);
  PoolConnection& other = Open(1);
  renewal.Begin(View(), 0);
  renewal.Begin(View(), 1);
  Down(0);
  EXPECT_EQ(Next(), &other) << "which is no reason to wait for the other host";
  other.Drain();
  End(other);
  EXPECT_EQ(Next(), nullptr);
  OnTrial(0);
  EXPECT_EQ(Next(), nullptr);
  hosts[0].health.OnAnswered(now, now);
  EXPECT_EQ(Next(), &there);
}

TEST_F(ConnectionRenewalTest, WhereThereIsRoomANewOneComesFirst) {
  PoolConnection& there = Open(0);
  PoolConnection& second = Open(0);
  renewal.Begin(View(), 0);
  ConnectionRenewal::Step step = renewal.Next(View(), 3);
  EXPECT_EQ(step.opens, 0U);
  EXPECT_EQ(step.ends, nullptr);
  Open(0);
  step = renewal.Next(View(), 3);
  EXPECT_EQ(step.opens, std::nullopt);
  ASSERT_NE(step.ends, nullptr);
  step.ends->Drain();
  End(*step.ends);
  step = renewal.Next(View(), 3);
  EXPECT_EQ(step.opens, std::nullopt) << "that one can be made is known";
  EXPECT_TRUE(step.ends == &there || step.ends == &second);
}

TEST_F(ConnectionRenewalTest, OneThatIsLeavingAlreadyIsNotCounted) {
  Open(0).Drain();
  Open(0);
  EXPECT_EQ(renewal.Begin(View(), 0), 1U);
  EXPECT_EQ(renewal.Begin(View(), 1), 0U);
}

}  // namespace
}  // namespace proxymux::pgsql
