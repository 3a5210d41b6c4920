#include "pgsql/host/host_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "config/values/server_config.h"
#include "pgsql/host/host_health.h"
#include "pgsql/host/outage.h"
#include "pgsql/runtime/event_loop.h"
#include "pgsql/table/host_spec.h"
#include "tests/pgsql/host/host_set_fixture.h"

namespace proxymux::pgsql {
namespace {

using std::chrono::seconds;

// One that hangs each time until connect_timeout is due again at once.
TEST_F(Hosts, WhoHasBeenDueForLongestIsTried) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  Down(hosts, 0);
  Down(hosts, 1);
  hosts[0].health.OnFailed(Later(), HostHealth::FailureKind::kUnreachable, "timeout expired",
                           &random, seconds(3));
  EXPECT_EQ(hosts.ChooseForProbe(Later()), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForProbe(Later()), 0U);
}

// With fewer connections than hosts, each of those that hang gives way to the next.
TEST_F(Hosts, WhoWasGivenUpForAnotherIsTriedLast) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp, HostKind::kTcp});
  for (std::size_t i = 0; i < 3; ++i) Down(hosts, i);
  std::vector<std::size_t> tried;
  Time now = Later();
  for (int i = 0; i < 6; ++i) {
    const auto next = hosts.ChooseForProbe(now);
    ASSERT_TRUE(next.has_value());
    tried.push_back(*next);
    now += seconds(1);
    hosts[*next].health.OnGivenUp(now);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::count(tried.begin(), tried.begin() + 3, i), 1) << i;
    EXPECT_EQ(tried[i], tried[i + 3]);
  }
}

TEST_F(Hosts, OneThatLetsAttemptsHangGivesWayUntilItIsConnectedTo) {
  for (const bool sticky : {false, true}) {
    HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
    if (sticky) hosts.SetPolicy(config::HostsPolicy::kSticky);
    for (std::size_t i = 0; i < 2; ++i) Up(hosts, i);
    EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
    hosts[0].connecting = 1;
    EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
    hosts[0].slow_to_connect = true;
    EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
    hosts[1].ready = 4;
    EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
    hosts[0].ready = 1;  // one of several hangs
    EXPECT_EQ(hosts.ChooseForRetirement(), 1U);
  }
}

TEST_F(Hosts, UnixSocketsComeBeforeTcpBeforeUris) {
  HostSet hosts = Make({HostKind::kUri, HostKind::kTcp, HostKind::kUnixSocket});
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  hosts[2].ready = 10;  // however many there are
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  Down(hosts, 2);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  Down(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  Down(hosts, 0);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
}

TEST_F(Hosts, WithinAClassTheFewestConnectionsThenChance) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp, HostKind::kTcp});
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  hosts[0].ready = 1;
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 2U);
  hosts[2].ready = 1;
  std::map<std::size_t, int> chosen;
  for (int i = 0; i < 300; ++i) ++chosen[*hosts.ChooseForConnection(kNow, &random)];
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GT(chosen[i], 60);
    EXPECT_LT(chosen[i], 140);
  }
}

TEST_F(Hosts, OneThatIsNotKnownGetsOneConnectionAsATrial) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  hosts[0].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
  Up(hosts, 0);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(Hosts, OneThatIsDownIsProbedWhenItIsDueWithOneConnection) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  EXPECT_EQ(hosts.ChooseForProbe(kNow), std::nullopt);
  EXPECT_FALSE(hosts.AnyDown());
  Up(hosts, 0);
  Down(hosts, 1);
  EXPECT_TRUE(hosts.AnyDown());
  EXPECT_EQ(hosts.ChooseForProbe(kNow), std::nullopt);
  EXPECT_EQ(hosts.ChooseForProbe(Later()), 1U);
  hosts[1].connecting = 1;
  EXPECT_EQ(hosts.ChooseForProbe(Later()), std::nullopt);
}

TEST_F(Hosts, OneThatWasDownIsNotPreferredToOneThatIsUpWhateverItsKind) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  Down(hosts, 0);
  Up(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(Later(), &random), 1U);
  Down(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(Later(), &random), 0U);
}

TEST_F(Hosts, MayServeWithAConnectionOrTheProspectOfOne) {
  HostSet hosts = Make({HostKind::kTcp});
  EXPECT_TRUE(hosts.MayServe(0));
  Down(hosts, 0);
  EXPECT_FALSE(hosts.MayServe(0));  // nobody waits for its probe
  hosts[0].ready = 1;               // full, but what is open works
  EXPECT_TRUE(hosts.MayServe(0));
  hosts[0].ready = 0;
  hosts[0].connecting = 1;
  EXPECT_FALSE(hosts.MayServe(0));
  Up(hosts, 0);  // in a trial
  EXPECT_TRUE(hosts.MayServe(0));
}

// The pool's own question shows what it is like; nobody is held up for that.
TEST_F(Hosts, OnceAnOutageIsWaitedForNoLongerATrialIsNoProspect) {
  for (const bool waits : {true, false}) {
    HostSet hosts = Make({HostKind::kTcp});
    hosts.SetOutageWait(std::chrono::seconds(waits ? 5 : 0));
    Down(hosts, 0);
    hosts[0].trust.OnNotMade(kNow);
    hosts.LookForOutage(kNow);
    Up(hosts, 0);
    hosts[0].ready = 1;
    hosts.LookForOutage(kNow + std::chrono::seconds(5));
    EXPECT_TRUE(hosts.MayServe(0)) << "it may have come back";
    hosts[0].trust.OnQuestionLate();
    EXPECT_EQ(hosts.MayServe(0), !waits) << "without a wait nothing but lookups shows it";
    EXPECT_EQ(hosts.AllDown(), waits);
    hosts[0].trust.OnAnswered(kNow);
    EXPECT_TRUE(hosts.MayServe(0));
  }
}

TEST_F(Hosts, WhileOneIsOnTrialNoOutageBegins) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  hosts.SetOutageWait(std::chrono::seconds(5));
  Down(hosts, 0);
  Down(hosts, 1);
  Up(hosts, 0);
  hosts.LookForOutage(kNow);
  EXPECT_EQ(hosts.outage().state(), Outage::State::kNone) << "what comes of it will show";
  Down(hosts, 0);
  hosts.LookForOutage(kNow);
  EXPECT_EQ(hosts.outage().state(), Outage::State::kWaiting);
}

TEST_F(Hosts, ATrialIsOneConnection) {
  HostSet hosts = Make({HostKind::kTcp});
  Down(hosts, 0);
  Up(hosts, 0);  // connected after it was down
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
  hosts[0].ready = 1;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), std::nullopt);
  hosts[0].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

TEST_F(Hosts, ASuspectGetsNothingButTheTest) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  Up(hosts, 0);
  Up(hosts, 1);
  hosts[0].health.OnSilent(kNow, "silent");
  hosts[1].ready = 5;
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  EXPECT_EQ(hosts.ChooseForProbe(kNow), 0U);
  EXPECT_GT(hosts.Reluctance(0), hosts.Reluctance(1));
  hosts[0].connecting = 1;
  EXPECT_EQ(hosts.ChooseForProbe(kNow), std::nullopt);
}

TEST_F(Hosts, AllAreDownWhenNoneHasAConnection) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp});
  EXPECT_FALSE(hosts.AllDown());
  Down(hosts, 0);
  EXPECT_FALSE(hosts.AllDown());
  Down(hosts, 1);
  EXPECT_TRUE(hosts.AllDown());
  EXPECT_FALSE(hosts.AnyMayServe());
  hosts[1].ready = 1;
  EXPECT_FALSE(hosts.AllDown());
  EXPECT_TRUE(hosts.AnyMayServe());
}

TEST_F(Hosts, StickyStaysWithOneUntilItFails) {
  HostSet hosts = Make({HostKind::kTcp, HostKind::kTcp, HostKind::kTcp});
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  for (std::size_t i = 0; i < 3; ++i) Up(hosts, i);
  const std::size_t favourite = *hosts.ChooseForConnection(kNow, &random);
  hosts[favourite].ready = 4;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), favourite);
  EXPECT_EQ(hosts.ChooseForRetirement(), std::nullopt);
  const std::size_t other = (favourite + 1) % 3;
  EXPECT_EQ(hosts.Reluctance(favourite), 0);
  EXPECT_EQ(hosts.Reluctance(other), 1);
  hosts[other].ready = 1;
  EXPECT_EQ(hosts.ChooseForRetirement(), other);
  hosts[favourite].health.OnSilent(kNow, "silent");
  const std::size_t next = *hosts.ChooseForConnection(kNow, &random);
  EXPECT_NE(next, favourite);
  hosts[favourite].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), next);  // it does not go back
}

TEST_F(Hosts, AFavouriteGivesWayToABetterClass) {
  HostSet hosts = Make({HostKind::kUnixSocket, HostKind::kTcp});
  hosts.SetPolicy(config::HostsPolicy::kSticky);
  Down(hosts, 0);
  Up(hosts, 1);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 1U);
  Up(hosts, 0);
  hosts[0].health.OnAnswered(kNow, kNow);
  EXPECT_EQ(hosts.ChooseForConnection(kNow, &random), 0U);
}

}  // namespace
}  // namespace proxymux::pgsql
