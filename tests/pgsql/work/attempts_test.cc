#include "pgsql/work/attempts.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/pgsql/host/host_failures.h"
#include "tests/pgsql/host/some_hosts.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(1)};

// Three hosts that are up and have a connection each; nothing was sent to them.
class AttemptsTest : public testing::Test {
 protected:
  AttemptsTest() {
    attempts.Reset(3);
    for (std::size_t host = 0; host < 3; ++host) {
      hosts[host].health.OnConnected(kNow);
      hosts[host].ready = 1;
    }
  }
  void Down(std::size_t host) { TakeDown(hosts[host], kNow, &random); }
  bool PrefersOther(std::size_t host) const { return attempts.PrefersOther(host, hosts); }
  std::optional<std::size_t> NeededHost() const { return attempts.NeededHost(hosts); }

  std::minstd_rand random{5};
  HostSet hosts{SomeHosts(3)};
  Attempts attempts;
};

TEST_F(AttemptsTest, AreCountedByHost) {
  EXPECT_FALSE(attempts.any());
  attempts.Count(1);
  EXPECT_TRUE(attempts.any());
  EXPECT_EQ(attempts.on(1), 1);
  EXPECT_EQ(attempts.on(0), 0);
  attempts.TakeBack(1);
  attempts.TakeBack(1);  // there is none any more
  EXPECT_FALSE(attempts.any());
  attempts.Exhaust(2);
  EXPECT_EQ(attempts.on(2), Attempts::kPerHost);
  attempts.Reset(3);
  EXPECT_FALSE(attempts.any());
}

TEST_F(AttemptsTest, AreCountedForAnyNumberOfHosts) {
  for (const std::size_t count : {20, 3, 10, 1, 20}) {
    attempts.Reset(count);
    EXPECT_FALSE(attempts.any()) << count;
    for (std::size_t host = 0; host < count; ++host) {
      attempts.Count(host);
      EXPECT_EQ(attempts.on(host), 1) << host << " of " << count;
    }
    attempts.Exhaust(count - 1);
    EXPECT_EQ(attempts.on(count - 1), Attempts::kPerHost);
  }
}

TEST_F(AttemptsTest, AHostThatWasNotTriedComesFirst) {
  EXPECT_FALSE(PrefersOther(0));
  attempts.Count(0);
  EXPECT_TRUE(PrefersOther(0));
  EXPECT_FALSE(PrefersOther(1));
  attempts.Count(1);
  EXPECT_TRUE(PrefersOther(0));
  attempts.Count(2);
  EXPECT_FALSE(PrefersOther(0));  // each was tried once, and may be once more
  attempts.Count(0);
  EXPECT_TRUE(PrefersOther(0));
}

TEST_F(AttemptsTest, NobodyWaitsForAHostThatIsDownOrSuspect) {
  attempts.Count(0);
  Down(1);
  EXPECT_TRUE(PrefersOther(0));
  hosts[2].health.OnSilent(kNow, "silent");
  EXPECT_FALSE(PrefersOther(0));
  hosts[2].health.OnAnswered(kNow, kNow);
  EXPECT_TRUE(PrefersOther(0));
}

TEST_F(AttemptsTest, ToEachHostTwice) {
  attempts.Exhaust(0);
  EXPECT_TRUE(PrefersOther(0));  // whatever others there are
  Down(1);
  EXPECT_TRUE(attempts.UntriedMayServe(hosts));
  EXPECT_TRUE(attempts.MayYetBeServed(hosts));
  attempts.Count(2);
  EXPECT_FALSE(attempts.UntriedMayServe(hosts));
  EXPECT_TRUE(attempts.MayYetBeServed(hosts));
  attempts.Count(2);
  EXPECT_FALSE(attempts.MayYetBeServed(hosts));
  EXPECT_TRUE(PrefersOther(0));
  EXPECT_TRUE(PrefersOther(2));
}

TEST_F(AttemptsTest, WhereNoHostMayServeNoneIsLeft) {
  for (std::size_t host = 0; host < 3; ++host) Down(host);
  EXPECT_FALSE(attempts.UntriedMayServe(hosts));
  EXPECT_FALSE(attempts.MayYetBeServed(hosts));
  EXPECT_EQ(NeededHost(), std::nullopt);
}

TEST_F(AttemptsTest, TheHostThatNobodyConnectsToIsNeeded) {
  attempts.Exhaust(0);
  EXPECT_EQ(NeededHost(), std::nullopt);  // it waits for its turn with one of two
  hosts[1].ready = 0;
  EXPECT_EQ(NeededHost(), std::nullopt);  // the third one has a connection
  hosts[2].ready = 0;
  EXPECT_EQ(NeededHost(), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(NeededHost(), std::nullopt);
  hosts[1].connecting = 0;
  attempts.Exhaust(1);
  EXPECT_EQ(NeededHost(), 2U);
  Down(2);
  EXPECT_EQ(NeededHost(), std::nullopt);
}

TEST_F(AttemptsTest, TheSecondTryGoesToNoHostThatHasTheFirst) {
  attempts.Count(1);
  Attempts second;
  second.Reset(3);
  second.ExhaustTriedOf(attempts);
  EXPECT_EQ(second.on(0), 0);
  EXPECT_EQ(second.on(1), Attempts::kPerHost);
  EXPECT_EQ(second.on(2), 0);
}

// Connections 1 to 4 to the only host, which goes away: they are lost one after the other.
class AttemptsOfASingleHostTest : public testing::Test {
 protected:
  AttemptsOfASingleHostTest() { attempts.Reset(1); }

  HostSet hosts{[] {
    std::vector<PoolHost> one;
    one.emplace_back(HostKind::kTcp, "host", seconds(60));
    return one;
  }()};
  Attempts attempts;
};

TEST_F(AttemptsOfASingleHostTest, NoAttemptIsUsedUpOnConnectionsThatWereThereAtTheFirstLoss) {
  attempts.Count(0);
  attempts.ChargeLoss(0, /*connection=*/2, /*latest=*/4, hosts);
  EXPECT_EQ(attempts.on(0), 1);
  for (const std::uint64_t connection : {1, 4}) {
    attempts.Count(0);
    attempts.ChargeLoss(0, connection, /*latest=*/4, hosts);
    EXPECT_EQ(attempts.on(0), 1);
  }
  attempts.Count(0);
  attempts.ChargeLoss(0, /*connection=*/5, /*latest=*/5, hosts);
  EXPECT_EQ(attempts.on(0), 2);
}

TEST_F(AttemptsOfASingleHostTest, NorByOneErrorOnSuchAConnection) {
  attempts.Count(0);
  attempts.ForgiveErrorAfterLoss(0, /*connection=*/2, hosts);
  EXPECT_EQ(attempts.on(0), 1) << "none was lost";
  attempts.ChargeLoss(0, /*connection=*/2, /*latest=*/4, hosts);
  attempts.Count(0);
  attempts.ForgiveErrorAfterLoss(0, /*connection=*/5, hosts);
  EXPECT_EQ(attempts.on(0), 2) << "it came later";
  attempts.ForgiveErrorAfterLoss(0, /*connection=*/4, hosts);
  EXPECT_EQ(attempts.on(0), 1);
  attempts.Count(0);
  attempts.ForgiveErrorAfterLoss(0, /*connection=*/4, hosts);
  EXPECT_EQ(attempts.on(0), 2) << "the second one";
  attempts.ChargeLoss(0, /*connection=*/3, /*latest=*/5, hosts);
  EXPECT_EQ(attempts.on(0), 1) << "losses are forgiven all the same";
}

// A host that was tried once has a second try left, whatever was lost elsewhere.
TEST_F(AttemptsTest, NothingIsForgivenWhereAnotherTryIsLeft) {
  attempts.Count(0);
  attempts.ChargeLoss(0, /*connection=*/2, /*latest=*/4, hosts);
  Down(0);
  Down(2);
  attempts.Count(1);
  attempts.ForgiveErrorAfterLoss(1, /*connection=*/3, hosts);
  EXPECT_EQ(attempts.on(1), 1);
  attempts.ChargeLoss(1, /*connection=*/3, /*latest=*/5, hosts);
  EXPECT_EQ(attempts.on(1), 1);
}

TEST_F(AttemptsTest, AnErrorAfterALossCountsWhereOtherHostsAreLeft) {
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  attempts.Count(0);
  attempts.ForgiveErrorAfterLoss(0, 3, hosts);
  EXPECT_EQ(attempts.on(0), 2);
}

TEST_F(AttemptsOfASingleHostTest, TheFirstAttemptCountsOnAnyConnection) {
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  attempts.TakeBack(0);
  attempts.Count(0);
  attempts.ChargeLoss(0, 3, 4, hosts);
  EXPECT_EQ(attempts.on(0), 1);
}

TEST_F(AttemptsOfASingleHostTest, AnotherLookupKnowsNothingOfTheLoss) {
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  attempts.Reset(1);
  attempts.Count(0);
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  EXPECT_EQ(attempts.on(0), 2);
}

TEST_F(AttemptsTest, WhereOtherHostsAreLeftEachLossCounts) {
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  attempts.Count(0);
  attempts.ChargeLoss(0, 3, 4, hosts);
  EXPECT_EQ(attempts.on(0), 2);
}

TEST_F(AttemptsTest, WhereAllGoAwayTheLastAttemptIsKept) {
  Down(1);
  Down(2);
  attempts.Count(0);
  attempts.ChargeLoss(0, 2, 4, hosts);
  attempts.Count(0);
  attempts.ChargeLoss(0, 3, 4, hosts);
  EXPECT_EQ(attempts.on(0), 1);
  hosts[2].ready = 1;  // what is open works, be the server full
  attempts.Count(0);
  attempts.ChargeLoss(0, 4, 4, hosts);
  EXPECT_EQ(attempts.on(0), 2);
}

}  // namespace
}  // namespace proxymux::pgsql
